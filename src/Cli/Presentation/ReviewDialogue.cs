using System.Collections.Immutable;
using ShmCheck.Harness.Reviewing;
using Spectre.Console;

namespace ShmCheck.Cli.Presentation;

/// <summary>Asks what to do about each group of snapshots, or each snapshot of a group. Keys
/// alone: arrows and Enter.</summary>
internal static class ReviewDialogue
{
    private const string Accept = "accept";
    private const string Reject = "reject";
    private const string OneByOne = "one by one";
    private const string Later = "decide later";
    private const string Stop = "stop";

    public static void Run(IAnsiConsole console, ImmutableArray<PendingSnapshot> pending)
    {
        foreach (IGrouping<string, PendingSnapshot> group in pending.GroupBy(s => s.Group))
        {
            PendingSnapshot[] snapshots = [.. group];
            ReviewText.PrintGroup(console, group.Key, snapshots);
            string answer = snapshots.Length == 1
                ? Ask(console, group.Key, Accept, Reject, Later, Stop)
                : Ask(console, group.Key, Accept, Reject, OneByOne, Later, Stop);
            if (answer == Stop || (answer == OneByOne && !Each(console, snapshots)))
            {
                return;
            }

            Decide(answer, snapshots);
        }
    }

    /// <summary>Asks about each.</summary>
    /// <returns>False to stop.</returns>
    private static bool Each(IAnsiConsole console, PendingSnapshot[] snapshots)
    {
        foreach (PendingSnapshot snapshot in snapshots)
        {
            ReviewText.PrintOne(console, snapshot);
            string answer = Ask(console, snapshot.Name, Accept, Reject, Later, Stop);
            if (answer == Stop)
            {
                return false;
            }

            Decide(answer, snapshot);
        }

        return true;
    }

    private static void Decide(string answer, params PendingSnapshot[] snapshots)
    {
        foreach (PendingSnapshot snapshot in snapshots)
        {
            if (answer == Accept)
            {
                snapshot.Accept();
            }
            else if (answer == Reject)
            {
                snapshot.Reject();
            }
        }
    }

    private static string Ask(IAnsiConsole console, string title, params string[] answers) =>
        console.Prompt(new SelectionPrompt<string>()
            .Title(Markup.Escape(title)).AddChoices(answers));
}
