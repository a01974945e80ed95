using ShmCheck.Abi;
using ShmCheck.Harness.Replaying;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Properties.Traces;

/// <summary>Every trace of the repository says what happens: by the specification, and on every
/// system that has its calls.</summary>
public sealed class RecordedTraceTests
{
    public static TheoryData<string> Folders => [.. RecordedTraces.Folders];

    public static TheoryData<string> Traces => [.. RecordedTraces.All];

    /// <summary>Traces with the systems that have their calls.</summary>
    public static TheoryData<string, string> Replays
    {
        get
        {
            var replays = new TheoryData<string, string>();
            foreach (string trace in RecordedTraces.All)
            {
                Call[] calls = [.. RecordedTraces.Load(trace).Calls];
                foreach (ISystemFactory system in RecordedTraces.Systems)
                {
                    if (calls.All(system.Capabilities.Has))
                    {
                        replays.Add(trace, system.Name);
                    }
                }
            }

            return replays;
        }
    }

    [Theory]
    [MemberData(nameof(Replays))]
    public void A_recorded_trace_happens_as_it_says(string trace, string system)
    {
        ReplayResult result = TraceReplay.Run(
            RecordedTraces.Load(trace),
            RecordedTraces.Systems.Single(factory => factory.Name == system));
        Assert.True(result.Conforms, Explain(trace, result));
    }

    [Theory]
    [MemberData(nameof(Traces))]
    public void A_recorded_trace_is_one_that_the_specification_can_run(string trace) =>
        Assert.Contains(Replays, row => (string)row[0] == trace && (string)row[1] == "spec");

    [Theory]
    [MemberData(nameof(Traces))]
    public void A_recorded_trace_says_something_that_can_be_wrong(string trace) =>
        Assert.Contains(
            RecordedTraces.Load(trace).Lines,
            line => line is TracedCall { Expected: not null } or TracedObservation);

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_folder_of_traces_is_not_empty(string folder) =>
        Assert.NotEmpty(RecordedTraces.In(folder));

    [Fact]
    public void The_behaviours_that_are_named_have_their_traces() =>
        Assert.Contains("behaviour", RecordedTraces.Folders);

    private static string Explain(string trace, ReplayResult result) => string.Join('\n',
    [
        .. result.Mismatches.Select(m => $"traces/{trace}:{m.Line}: {m.Text}: {m.Problem}"),
        .. result.Record.Divergence is { } divergence
            ? [DivergenceText.Explain(divergence)] : Array.Empty<string>(),
    ]);
}
