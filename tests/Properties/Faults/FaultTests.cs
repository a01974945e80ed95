using ShmCheck.Faults;
using ShmCheck.Faults.Building;
using ShmCheck.Faults.Hunting;
using ShmCheck.Faults.Patches;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Replaying;
using ShmCheck.Harness.Traces;
using ShmCheck.Impl;
using ShmCheck.Properties.Support;

namespace ShmCheck.Properties.Faults;

/// <summary>The seeded faults, each by the trace that was recorded when it was hunted.</summary>
public sealed class FaultTests
{
    private static readonly string Traces =
        Path.Combine(Repository.Root, FaultRecorder.TraceFolder);

    public static TheoryData<string> Ids => [.. FaultCatalogue.All.Select(f => f.Id)];

    [Theory]
    [MemberData(nameof(Ids))]
    public void A_fault_is_caught_by_its_recorded_trace(string id)
    {
        Fault fault = Find(id);
        using FaultySystem system = FaultySystem.Of(fault);

        ReplayResult result = TraceReplay.Run(Recorded(id), system);

        Assert.NotNull(result.Record.Divergence);
        Fingerprint found = result.Record.Divergence.Fingerprint;
        Assert.True(fault.IsShownBy(found), $"caught by {found}");
        Assert.Equal(KillMatrix.Recorded[id].Rule, found.Rule);
        Assert.Equal(KillMatrix.Recorded[id].Calls, result.Record.Calls.Count);
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void The_sound_implementation_conforms_on_the_trace_of_a_fault(string id)
    {
        ReplayResult result = TraceReplay.Run(Recorded(id), new ImplFactory());

        Assert.Null(result.Record.Divergence);
    }

    [Fact]
    public void The_matrix_has_a_caught_row_for_each_fault_and_no_other()
    {
        Assert.Equal(
            FaultCatalogue.All.Select(f => f.Id),
            KillMatrix.Recorded.Keys.Order(StringComparer.Ordinal));
        Assert.DoesNotContain(
            KillMatrix.Recorded.Values, row => row.Rule == KillRow.Survived);
    }

    [Fact]
    public void Each_recorded_trace_belongs_to_a_fault() => Assert.Equal(
        FaultCatalogue.All.Select(f => $"{f.Id}.shm"),
        Directory.EnumerateFiles(Traces).Select(Path.GetFileName)
            .Order(StringComparer.Ordinal));

    [Fact]
    public void A_fault_that_does_not_compile_is_named()
    {
        Fault fault = FaultCatalogue.All[0];
        Fault broken = fault with
        {
            Files = [.. fault.Files.Select(file => file with
            {
                Hunks = [.. file.Hunks.Select(hunk => hunk with
                {
                    Lines = hunk.Lines.Add(new HunkLine(HunkLineKind.Added, "][")),
                })],
            })],
        };

        var thrown = Assert.Throws<FaultException>(() => FaultySystem.Of(broken));

        Assert.StartsWith($"fault {fault.Id} does not compile: ", thrown.Message);
    }

    [Fact]
    public void A_system_without_any_fault_is_the_implementation()
    {
        using FaultySystem system = FaultySystem.Of();

        Assert.Equal(
            new ImplFactory().Capabilities.Calls, system.Capabilities.Calls);
        Assert.Null(TraceReplay.Run(
            Recorded(FaultCatalogue.All[0].Id), system).Record.Divergence);
    }

    private static Fault Find(string id) => FaultCatalogue.All.Single(f => f.Id == id);

    private static Trace Recorded(string id) =>
        TraceParser.ParseFile(Path.Combine(Traces, $"{id}.shm"));
}
