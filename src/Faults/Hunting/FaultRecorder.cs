using ShmCheck.Faults.Patches;

namespace ShmCheck.Faults.Hunting;

/// <summary>Writes what a hunt brought into a repository: patches whose lines have moved, the kill
/// matrix, and the shrunk trace of each fault.</summary>
public static class FaultRecorder
{
    /// <summary>Folder of the shrunk traces, from the root of the repository.</summary>
    public const string TraceFolder = "traces/faults";

    /// <summary>Whether a folder is the root of a repository with a matrix.</summary>
    public static bool CanRecord(string root) => File.Exists(MatrixIn(root));

    private static string MatrixIn(string root) =>
        Path.Combine(root, "faults", KillMatrix.FileName);

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
            rows[result.Fault.Id] = KillRow.Of(result);
            if (result.Finding is { } finding)
            {
                string trace = $"{TraceFolder}/{result.Fault.Id}.shm";
                File.WriteAllText(
                    Path.Combine(root, trace),
                    $"{finding.Text}# replay: shmcheck replay --fault {result.Fault.Id} {trace}\n");
            }

            string patch = Path.Combine(root, "faults", $"{result.Fault.Id}.patch");
            File.WriteAllText(
                patch, FaultPrinter.Rebase(File.ReadAllText(patch), result.Fault));
        }

        File.WriteAllText(matrix, KillMatrix.Print(
            rows.Values.Where(r => FaultCatalogue.All.Any(f => f.Id == r.Fault))));
    }
}
