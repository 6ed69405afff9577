import re

from pairwatch import sources


def test_sources_lists_each_with_an_example(run):
    code, out, err = run("sources")
    assert (code, err) == (0, "")
    assert re.findall(r"^(\w+)$", out, re.MULTILINE) == list(sources.names())
    assert out.count("for example") == len(sources.names())
