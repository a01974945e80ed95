using ShmCheck.Faults.Building;
using ShmCheck.Faults.Patches;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Replaying;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Faults.Hunting;

/// <summary>Writes what a hunt brought into a repository: patches whose lines have moved, the kill
/// matrix, and the shrunk trace of each fault. A recorded trace gives way only to a shorter one, or
/// when it does not show the fault any more: what was read and accepted stays.</summary>
public static class FaultRecorder
{
    /// <summary>Folder of the shrunk traces, from the root of the repository.</summary>
    public const string TraceFolder = "traces/faults";

    private static readonly string[] LinesOfTheHunt = ["# certificate: ", "# replay: "];

    /// <summary>Whether a folder is the root of a repository with a matrix.</summary>
    public static bool CanRecord(string root) => File.Exists(MatrixIn(root));

    private static string MatrixIn(string root) =>
        Path.Combine(root, "faults", KillMatrix.FileName);

    /// <summary>What a recorded trace should say: its run as it is now, and the lines about the
    /// hunt as they were recorded.</summary>
    public static string Report(RunRecord run, string recorded) =>
        DivergenceText.Trace(run) + string.Concat(recorded.Split('\n')
            .Where(line => LinesOfTheHunt.Any(line.StartsWith)).Select(line => line + "\n"));

    /// <summary>Writes the results; rows and traces of other faults stay.</summary>
    /// <param name="root">Root of the repository.</param>
    /// <param name="results">What was hunted.</param>
    public static void Record(string root, IReadOnlyCollection<HuntResult> results)
    {
        string matrix = MatrixIn(root);
        Dictionary<string, KillRow> rows = KillMatrix.Parse(File.ReadAllText(matrix))
            .ToDictionary(r => r.Fault);
        Directory.CreateDirectory(Path.Combine(root, TraceFolder));
        foreach (HuntResult result in results)
        {
            rows[result.Fault.Id] = WriteTrace(root, result);
            string patch = Path.Combine(root, "faults", $"{result.Fault.Id}.patch");
            File.WriteAllText(
                patch, FaultPrinter.Rebase(File.ReadAllText(patch), result.Fault));
        }

        File.WriteAllText(matrix, KillMatrix.Print(
            rows.Values.Where(r => FaultCatalogue.All.Any(f => f.Id == r.Fault))));
    }

    /// <summary>Writes the trace of a fault, if it was caught.</summary>
    /// <returns>The row of the matrix that goes with it.</returns>
    private static KillRow WriteTrace(string root, HuntResult result)
    {
        var row = KillRow.Of(result);
        if (result.Finding is not { } finding)
        {
            return row;
        }

        string trace = $"{TraceFolder}/{result.Fault.Id}.shm";
        string file = Path.Combine(root, trace);
        string text =
            $"{finding.Text}# replay: shmcheck replay --fault {result.Fault.Id} {trace}\n";
        if (Recorded(file, result.Fault) is { } recorded && recorded.Calls <= row.Calls)
        {
            row = row with { Rule = recorded.Rule, Calls = recorded.Calls };
            text = recorded.Text;
        }

        File.WriteAllText(file, text);
        return row;
    }

    /// <summary>The recorded trace with its present report; null when there is none, or it does
    /// not show the fault any more.</summary>
    private static (string Text, string Rule, int Calls)? Recorded(string file, Fault fault)
    {
        if (!File.Exists(file))
        {
            return null;
        }

        string text = File.ReadAllText(file);
        Trace trace = TraceParser.Parse(file, text);
        using FaultySystem system = FaultySystem.Of(fault);
        RunRecord run = TraceReplay.Run(trace, system).Record;
        if (run.Divergence is not { } divergence || !fault.IsShownBy(divergence.Fingerprint))
        {
            return null;
        }

        return (Report(run, text), divergence.Fingerprint.Rule, trace.Calls.Count());
    }
}
