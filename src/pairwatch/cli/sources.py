"""`pairwatch sources`."""

from pairwatch import writing
from pairwatch.cli.groups import plain
from pairwatch.cli.results import folded

app = plain()


@app.command(name="sources")
def list_sources() -> None:
    """List where legs can come from."""
    from pairwatch import sources

    every = [(name, sources.about(name)) for name in sources.names()]
    lines = [
        f"{name}\n{folded(about.gives)}\n{folded(f'needs {about.needs}; for example {about.example}')}\n"
        for name, about in every
    ]
    writing.to_stdout("".join(lines))
