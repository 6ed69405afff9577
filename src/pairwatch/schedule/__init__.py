"""When a run is due, and how cron and systemd are told: after the close, in the exchange's own time zone.

What is due is worked out by pure functions; `crontab` and `systemctl` are called through the `Run` that is handed in.
"""

from pairwatch.schedule.closes import Close, Plan, checked_delay, close_of, due, merged, plan
from pairwatch.schedule.cron import cron_block, cron_lines, install_cron, remove_cron, with_block, without_block
from pairwatch.schedule.programs import Commands, Kind, Ran, Run, run, usual_kind
from pairwatch.schedule.systemd import calendar, install_units, remove_units, units

__all__ = [
    "Close",
    "Commands",
    "Kind",
    "Plan",
    "Ran",
    "Run",
    "calendar",
    "checked_delay",
    "close_of",
    "cron_block",
    "cron_lines",
    "due",
    "install_cron",
    "install_units",
    "merged",
    "plan",
    "remove_cron",
    "remove_units",
    "run",
    "units",
    "usual_kind",
    "with_block",
    "without_block",
]
