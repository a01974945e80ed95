using System.Diagnostics;
using System.Text.RegularExpressions;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Replaying;
using ShmCheck.Harness.Traces;
using ShmCheck.Impl;
using ShmCheck.Properties.Support;
using Xunit.Abstractions;
using Trace = ShmCheck.Harness.Traces.Trace;

namespace ShmCheck.Properties.Traces;

/// <summary>Damaged traces: they are read or refused with a place and what was expected there,
/// and nothing else.</summary>
public sealed partial class FuzzTests(ITestOutputHelper output)
{
    private const string File = "damaged.shm";

    /// <summary>Inputs of a run of the tests; SHMCHECK_FUZZ asks for more, and
    /// SHMCHECK_SEED for others.</summary>
    private const int UsualInputs = 20_000;

    /// <summary>One in so many traces that are still traces is replayed.</summary>
    private const int ReplayedOneIn = 5;

    /// <summary>Base pages of a machine that is replayed: the specification takes its time to
    /// lock more of them one by one.</summary>
    private const ulong LargestMachine = 1 << 14;

    private static readonly long Inputs = long.TryParse(
        Environment.GetEnvironmentVariable("SHMCHECK_FUZZ"), out long more) ? more : UsualInputs;

    [Fact]
    public void A_damaged_trace_is_read_or_refused_with_its_place_and_what_was_expected()
    {
        var damage = new Damage(TestSeed.Value);
        var watch = Stopwatch.StartNew();
        long read = 0;
        for (long input = 0; input < Inputs; input++)
        {
            string text = damage.Next();
            try
            {
                Trace trace = TraceParser.Parse(File, text);
                read++;
                Assert.Equal(trace, TraceParser.Parse(File, TracePrinter.Print(trace)));
            }
            catch (TraceFormatException refused)
            {
                CheckRefusal(refused, text);
            }
            catch (Exception other) when (other is not Xunit.Sdk.XunitException)
            {
                throw new InvalidOperationException($"input {input}:\n{text}", other);
            }
        }

        output.WriteLine($"{Inputs:N0} damaged traces in {watch.Elapsed.TotalSeconds:N1} s, "
            + $"{read:N0} of them still traces");
        Assert.InRange(read, Inputs / 20, Inputs - (Inputs / 4));
    }

    [Fact]
    public void A_damaged_trace_that_is_still_one_runs_without_breaking_anything_down()
    {
        var damage = new Damage(TestSeed.Value + 1);
        int replayed = 0;
        for (int input = 0; input < UsualInputs; input++)
        {
            string text = damage.Next();
            if (input % ReplayedOneIn != 0 || TryParse(text) is not { } trace
                || trace.Machine.TotalPages > LargestMachine)
            {
                continue;
            }

            replayed++;
            foreach (ISystemFactory system in new[] { SpecSystem.Factory, new ImplFactory() })
            {
                CheckRun(trace, system, text);
            }
        }

        Assert.True(replayed > UsualInputs / ReplayedOneIn / 20, $"only {replayed} were replayed");
    }

    private static Trace? TryParse(string text)
    {
        try
        {
            return TraceParser.Parse(File, text);
        }
        catch (TraceFormatException)
        {
            return null;
        }
    }

    private static void CheckRun(Trace trace, ISystemFactory system, string text)
    {
        try
        {
            string rule = TraceReplay.Run(trace, system).Record.Divergence?.Fingerprint.Rule ?? "";
            Assert.False(rule.EndsWith(".threw", StringComparison.Ordinal), $"{rule}:\n{text}");
        }
        catch (SystemLostException lost)
        {
            // A system need not be able to be every machine that a trace can name.
            Assert.IsType<ArgumentException>(lost.InnerException, exactMatch: false);
        }
    }

    private static void CheckRefusal(TraceFormatException refused, string text)
    {
        string[] lines = text.Split('\n');
        Assert.Matches(Refusal(), refused.Message);
        Assert.True(
            refused.Line <= Math.Max(lines.Length, 2)
                && refused.Column <= LengthOf(lines, refused.Line) + 1,
            $"no such place: {refused.Message}\n{text}");
    }

    private static int LengthOf(string[] lines, int line) =>
        line <= lines.Length ? lines[line - 1].Length : 0;

    [GeneratedRegex(@"\Adamaged\.shm:[1-9]\d*:[1-9]\d*: expected \S")]
    private static partial Regex Refusal();
}
