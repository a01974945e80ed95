using ShmCheck.Faults.Hunting;
using ShmCheck.Faults.Patches;
using ShmCheck.Properties.Support;

namespace ShmCheck.Properties.Faults;

/// <summary>What a hunt writes over what an earlier one wrote.</summary>
public sealed class FaultRecorderTests : IDisposable
{
    private const string Id = "huge-segment-is-committed";
    private static readonly HuntOptions Short = new() { Campaigns = 1 };
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("shmcheck-record-");

    private static Fault Fault => FaultCatalogue.All.Single(fault => fault.Id == Id);

    private string Trace => Path.Combine(_root.FullName, FaultRecorder.TraceFolder, $"{Id}.shm");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void A_recorded_trace_stays_unless_the_new_one_is_shorter()
    {
        CopyTo("faults/matrix.txt");
        CopyTo($"faults/{Id}.patch");
        HuntResult result = FaultHunt.Hunt(Fault, Short);
        FaultRecorder.Record(_root.FullName, [result]);
        string found = File.ReadAllText(Trace);

        // As short, and it shows the fault, but it is another one.
        string other = found.Replace("frames=", "shmall=100000 frames=", StringComparison.Ordinal);
        Assert.NotEqual(found, other);
        File.WriteAllText(Trace, other);
        FaultRecorder.Record(_root.FullName, [result]);
        Assert.Contains("shmall=100000", File.ReadAllText(Trace), StringComparison.Ordinal);

        // Longer by a call.
        File.WriteAllText(Trace, found.Replace(
            "\np1 ", "\np1 shmget(IPC_PRIVATE, 4096, 0600) = s9\np1 ", StringComparison.Ordinal));
        FaultRecorder.Record(_root.FullName, [result]);
        Assert.Equal(found, File.ReadAllText(Trace));

        // Shows nothing.
        File.WriteAllText(Trace, string.Concat(
            found.Split('\n').Where(line => line.StartsWith("# shmcheck", StringComparison.Ordinal)
                || line.StartsWith("machine", StringComparison.Ordinal)).Select(l => l + "\n")));
        FaultRecorder.Record(_root.FullName, [result]);
        Assert.Equal(found, File.ReadAllText(Trace));
    }

    private void CopyTo(string file)
    {
        string copy = Path.Combine(_root.FullName, file);
        Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
        File.Copy(Path.Combine(Repository.Root, file), copy);
    }
}
