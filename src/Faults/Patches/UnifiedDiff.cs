using System.Collections.Immutable;

namespace ShmCheck.Faults.Patches;

/// <summary>What a line of a hunk does.</summary>
public enum HunkLineKind
{
    /// <summary>Stands before and after.</summary>
    Context,
    /// <summary>Stands before only.</summary>
    Removed,
    /// <summary>Stands after only.</summary>
    Added,
}

/// <summary>A line of a hunk.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Text">The line without its mark.</param>
public readonly record struct HunkLine(HunkLineKind Kind, string Text);

/// <summary>A stretch of a file that changes.</summary>
/// <param name="OldStart">Number of its first line before the change, from 1.</param>
/// <param name="Lines">Its lines, before and after.</param>
public sealed record Hunk(int OldStart, ImmutableArray<HunkLine> Lines)
{
    /// <summary>The lines that the file has before the change.</summary>
    public IEnumerable<string> Before =>
        Lines.Where(l => l.Kind != HunkLineKind.Added).Select(l => l.Text);

    /// <summary>The lines that it has afterwards.</summary>
    public IEnumerable<string> After =>
        Lines.Where(l => l.Kind != HunkLineKind.Removed).Select(l => l.Text);
}

/// <summary>What changes in one file.</summary>
/// <param name="Path">The file, from the root of the repository.</param>
/// <param name="Hunks">Its stretches, ascending.</param>
public sealed record FileDiff(string Path, ImmutableArray<Hunk> Hunks);
