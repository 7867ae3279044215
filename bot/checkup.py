"""`guichet doctor`: what it finds, as it is shown in a terminal."""

from bot.console import out
from bot.doctor import Finding, examine

MARKS = {"ok": "[green]ok   [/green] ", "note": "[yellow]note [/yellow] ", "fault": "[red]fault[/red] "}


def show(finding: Finding) -> None:
    """Print one finding on a line."""
    out.print(MARKS[finding.grade], end="")
    out.print(f"{finding.subject}: {finding.text}", markup=False)


async def report() -> bool:
    """Print everything that the doctor finds; True if there is no fault."""
    well = True
    async for finding in examine():
        show(finding)
        well = well and finding.grade != "fault"
    return well
