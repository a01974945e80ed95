using System.Runtime.CompilerServices;
using ShmCheck.Faults.Building;
using ShmCheck.Faults.Hunting;
using ShmCheck.Faults.Patches;
using ShmCheck.Harness.Replaying;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Snapshots.Faults;

/// <summary>What a person reads of each seeded fault: the shrunk trace, what differs, and the
/// machine around the call at which it does.</summary>
public sealed class FaultReportTests
{
    public static TheoryData<string> Ids => [.. FaultCatalogue.All.Select(f => f.Id)];

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task The_report_of_a_fault_is_that_of_its_recorded_trace(string id)
    {
        string file = Path.Combine(Root(), FaultRecorder.TraceFolder, $"{id}.shm");
        string recorded = await File.ReadAllTextAsync(file);
        using FaultySystem system = FaultySystem.Of(FaultCatalogue.All.Single(f => f.Id == id));

        ReplayResult result = TraceReplay.Run(TraceParser.ParseFile(file), system);

        string report = FaultRecorder.Report(result.Record, recorded);
        Assert.Equal(report, recorded);
        await Snapshot.Text(report).UseTextForParameters(id);
    }

    private static string Root([CallerFilePath] string source = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "../../.."));
}
