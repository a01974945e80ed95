using DiffPlex.DiffBuilder;
using DiffPlex.DiffBuilder.Model;
using ShmCheck.Harness.Reviewing;
using Spectre.Console;

namespace ShmCheck.Cli.Presentation;

/// <summary>Snapshots to decide about, as a person reads them.</summary>
internal static class ReviewText
{
    /// <summary>Lines that stay, shown on both sides of one that changes.</summary>
    private const int Context = 3;

    public static void Print(IAnsiConsole console, IEnumerable<PendingSnapshot> pending)
    {
        foreach (IGrouping<string, PendingSnapshot> group in pending.GroupBy(s => s.Group))
        {
            PrintGroup(console, group.Key, [.. group]);
        }
    }

    /// <summary>A group: what it is, then the diff of each of its snapshots.</summary>
    public static void PrintGroup(
        IAnsiConsole console, string name, IReadOnlyList<PendingSnapshot> group)
    {
        console.MarkupLineInterpolated($"[bold]{name}[/] ({group.Count})");
        foreach (PendingSnapshot snapshot in group)
        {
            PrintOne(console, snapshot);
        }
    }

    /// <summary>What is the matter with a snapshot, and its diff.</summary>
    public static void PrintOne(IAnsiConsole console, PendingSnapshot snapshot)
    {
        console.MarkupLineInterpolated(
            $"[yellow]{snapshot.Matter.ToString().ToLowerInvariant()}[/] {snapshot.Name}");
        List<DiffPiece> lines = InlineDiffBuilder.Diff(snapshot.Before, snapshot.After).Lines;
        for (int at = 0; at < lines.Count; at++)
        {
            if (lines.Skip(at - Context).Take((2 * Context) + 1 + Math.Min(at - Context, 0))
                .All(line => line.Type == ChangeType.Unchanged))
            {
                continue;
            }

            string text = Markup.Escape(lines[at].Text ?? "");
            console.MarkupLine(lines[at].Type switch
            {
                ChangeType.Inserted => $"[green]+ {text}[/]",
                ChangeType.Deleted => $"[red]- {text}[/]",
                _ => $"[grey]  {text}[/]",
            });
        }

        console.WriteLine();
    }
}
