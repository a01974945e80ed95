using System.Collections.Immutable;
using System.CommandLine;
using ShmCheck.Cli.Presentation;
using ShmCheck.Faults.Patches;
using ShmCheck.Harness.Reviewing;
using Spectre.Console;

namespace ShmCheck.Cli.Commands;

/// <summary><c>review</c>: decides about snapshots that tests have otherwise.</summary>
internal static class ReviewCommand
{
    private const string DefaultFolder = "tests/Snapshots";

    /// <summary>The test that has a snapshot for every seeded fault.</summary>
    private const string FaultTest =
        "FaultReportTests.The_report_of_a_fault_is_that_of_its_recorded_trace";

    public static Command Create()
    {
        var folder = new Argument<string>("DIR")
        {
            Description = "folder of the tests and their snapshots",
            DefaultValueFactory = _ => DefaultFolder,
        };
        var list = new Option<bool>("--list")
        {
            Description = "list, with diffs, and decide nothing",
        };
        var accept = new Option<string[]>("--accept")
        {
            Description = "accept what has this fingerprint, or is of this test; repeatable; "
                + "'all' accepts everything",
            HelpName = "FINGERPRINT",
        };
        var reject = new Option<string[]>("--reject")
        {
            Description = "forget what was received, likewise",
            HelpName = "FINGERPRINT",
        };
        var json = new Option<bool>("--json") { Description = "print one JSON object" };
        var command = new Command(
            "review", "Reviews received snapshots, grouped by fingerprint, with their diffs.")
        {
            folder, list, accept, reject, json,
        };
        command.SetAction(parsed => Run(new Request(
            parsed.GetValue(folder)!, parsed.GetValue(accept) ?? [],
            parsed.GetValue(reject) ?? [], parsed.GetValue(list), parsed.GetValue(json))));
        return command;
    }

    private sealed record Request(
        string Folder, string[] Accept, string[] Reject, bool List, bool Json);

    private static int Run(Request request)
    {
        ImmutableArray<PendingSnapshot> pending = Pending(request.Folder);
        if (request.Accept.Length > 0 || request.Reject.Length > 0)
        {
            foreach (PendingSnapshot snapshot in Chosen(pending, "--accept", request.Accept))
            {
                snapshot.Accept();
            }

            foreach (PendingSnapshot snapshot in Chosen(pending, "--reject", request.Reject))
            {
                snapshot.Reject();
            }
        }
        else if (!request.List && !request.Json && !Console.IsInputRedirected
            && Terminal.Out.Profile.Capabilities.Interactive)
        {
            ReviewDialogue.Run(Terminal.Out, pending);
        }
        else if (!request.Json)
        {
            ReviewText.Print(Terminal.Out, pending);
        }

        ImmutableArray<PendingSnapshot> left = Pending(request.Folder);
        if (request.Json)
        {
            Json.Print(ReviewJson.Of(left));
        }
        else
        {
            Terminal.Out.MarkupLineInterpolated(left.IsEmpty ? (FormattableString)
                $"[green]nothing to review[/]" : $"[yellow]{left.Length} to review[/]");
        }

        return left.IsEmpty ? ExitCode.Conforms : ExitCode.Diverges;
    }

    private static ImmutableArray<PendingSnapshot> Pending(string folder)
    {
        try
        {
            return SnapshotFolder.Pending(
                folder, new Dictionary<string, ImmutableArray<string>>
                {
                    [FaultTest] = [.. FaultCatalogue.All.Select(fault => fault.Id)],
                });
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(
                $"{folder}: expected a folder of tests and snapshots: {problem.Message}");
        }
    }

    private static IEnumerable<PendingSnapshot> Chosen(
        ImmutableArray<PendingSnapshot> pending, string option, string[] names)
    {
        foreach (string name in names)
        {
            PendingSnapshot[] chosen =
                [.. pending.Where(s => name == "all" || s.Group == name || s.Name == name)];
            if (chosen.Length == 0 && name != "all")
            {
                throw new BadInputException($"{option}: nothing is to be reviewed under '{name}'; "
                    + "review --list says what is");
            }

            foreach (PendingSnapshot snapshot in chosen)
            {
                yield return snapshot;
            }
        }
    }
}
