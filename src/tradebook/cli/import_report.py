"""What the terminal says of an import."""

from tradebook.transfer.imports.summary import Summary


def summary_lines(summary: Summary, *, is_dry: bool) -> list[str]:
    """Write a summary as lines for a person."""
    counts = f"{summary.created:,} created, {summary.updated:,} updated, {summary.unchanged:,} unchanged"
    read = f"{summary.rows:,} rows read"
    if summary.problems and not summary.is_kept:
        return [f"{read}, {summary.problems:,} problems: nothing was written."]
    lines = [f"{read}: customers {counts}."]
    if summary.made:
        listed = ", ".join(f"{len(made):,} {kind.replace('_', ' ')}" for kind, made in summary.made.items())
        lines.append(f"Made on the way: {listed}.")
    if is_dry:
        lines.append("This was a dry run: nothing was written.")
    return lines
