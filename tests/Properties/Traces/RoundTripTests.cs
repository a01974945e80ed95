using FsCheck.Xunit;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Generating;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Properties.Traces;

/// <summary>Printer and parser of traces are inverse.</summary>
public sealed class RoundTripTests
{
    private const int Runs = 400;

    [Property(Arbitrary = [typeof(AnyTrace)], MaxTest = 1500)]
    public void What_is_printed_is_read_back(AnyTrace drawn)
    {
        string text = TracePrinter.Print(drawn.Trace);
        Assert.Equal(drawn.Trace, TraceParser.Parse("t.shm", text));
        Assert.Equal(
            drawn.Trace, TraceParser.Parse("t.shm", text.ReplaceLineEndings("\r\n")));
    }

    [Fact]
    public void Runs_of_random_calls_are_read_back_with_their_replies()
    {
        var random = new Random64(11);
        var calls = new HashSet<CallKind>();
        var injections = new HashSet<AllocationKind>();
        var replies = new HashSet<Type>();
        for (int run = 0; run < Runs; run++)
        {
            RunRecord record = Run(random.Next());
            string text = DivergenceText.Trace(record);
            Trace trace = TraceParser.Parse("t.shm", text);
            Assert.Equal(text, TracePrinter.Print(trace));
            foreach (TracedCall line in trace.Lines.OfType<TracedCall>())
            {
                calls.Add(line.Call.Kind);
                replies.Add(line.Expected!.GetType());
                injections.UnionWith(line.Call.Injection is { } made ? [made.Kind] : []);
            }
        }

        Assert.Equal(Enum.GetValues<CallKind>(), calls.Order());
        Assert.Equal(Enum.GetValues<AllocationKind>(), injections.Order());
        Assert.Equal(4, replies.Count);
    }

    [Theory]
    [MemberData(nameof(RecordedTraceTests.Traces), MemberType = typeof(RecordedTraceTests))]
    public void A_recorded_trace_means_the_same_when_it_is_printed(string trace)
    {
        Trace read = RecordedTraces.Load(trace);
        Assert.Equal(read, TraceParser.Parse(trace, TracePrinter.Print(read)));
    }

    private static RunRecord Run(ulong seed)
    {
        RunRecord record = RandomRun.Of(SpecSystem.Factory, RandomRun.Machine(seed), seed, 60);
        Assert.Null(record.Divergence);
        return record;
    }
}
