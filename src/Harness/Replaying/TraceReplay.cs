using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Harness.Replaying;

/// <summary>A place where a trace says something else than what happens.</summary>
/// <param name="Line">Line of the file, from 1.</param>
/// <param name="Text">What the line says.</param>
/// <param name="Problem">What happens instead.</param>
public sealed record Mismatch(int Line, string Text, string Problem);

/// <summary>The outcome of a replay.</summary>
/// <param name="Record">The run; its divergence, if any, is the system's from the specification.
/// </param>
/// <param name="Mismatches">Where the replies and figures that the trace has are not those of
/// the run.</param>
public sealed record ReplayResult(RunRecord Record, IReadOnlyList<Mismatch> Mismatches)
{
    /// <summary>Whether the system did what the specification and the trace say.</summary>
    public bool Conforms => Record.Divergence is null && Mismatches.Count == 0;
}

/// <summary>Runs a trace on a system, compares it with the specification as every run does, and
/// with the replies and figures that the trace has.</summary>
public sealed class TraceReplay : ICallSource
{
    /// <summary>The header and the machine line come before the first line.</summary>
    private const int FirstLine = 3;

    private readonly Trace _trace;
    private readonly List<Mismatch> _mismatches = [];
    private Bindings _bindings = new();
    private int _next;

    private TraceReplay(Trace trace) => _trace = trace;

    /// <summary>Why a trace says nothing about a system: its machine is one that the system cannot
    /// be. A machine with more memory, or with other huge page sizes beside its default one, will
    /// do, and so will one with another overcommit_ratio where none is looked at.</summary>
    /// <returns>A clause that says it, or null when the trace can be replayed.</returns>
    public static string? Obstacle(Trace trace, SystemCapabilities capabilities)
    {
        MachineConfig wanted = trace.Machine;
        MachineConfig machine = capabilities.Adapt(wanted);
        bool limits = wanted.Overcommit == OvercommitMode.Never || trace.Calls.Any(
            call => call is SetSysctl { Name: Sysctl.OvercommitMemory });
        return !capabilities.Profiles.Contains(wanted.Profile)
            ? $"does not follow profile {KernelProfileText.Of(wanted.Profile)}"
            : wanted == machine with
            {
                Frames = wanted.Frames,
                OvercommitRatio = limits ? machine.OvercommitRatio : wanted.OvercommitRatio,
                OtherHugePageSizes = wanted.OtherHugePageSizes,
                SwapKind = wanted.SwapSlots == 0 ? wanted.SwapKind : machine.SwapKind,
            }
                ? null
                : $"cannot be the machine '{MachineText.Print(wanted)}', only "
                    + $"'{MachineText.Print(machine)}'";
    }

    /// <summary>Replays a trace.</summary>
    /// <param name="trace">The trace.</param>
    /// <param name="factory">Starts the system.</param>
    /// <param name="ledger">Known divergences, which are counted instead of found.</param>
    public static ReplayResult Run(Trace trace, ISystemFactory factory, Ledger? ledger = null)
    {
        var replay = new TraceReplay(trace);
        var record = new RunRecord();
        new SequenceRunner(factory, null, ledger).Run(
            trace.Machine, replay, record, endProcesses: false);
        return new ReplayResult(record, replay._mismatches);
    }

    /// <inheritdoc/>
    public Call? Next(Observation observation, Bindings bindings)
    {
        _bindings = bindings;
        while (_next < _trace.Lines.Length)
        {
            switch (_trace.Lines[_next++])
            {
                case TracedCall line:
                    return line.Call;
                case TracedObservation line:
                    Compare(line, observation);
                    break;
                default:
                    break;
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public void Done(Call call, Reply? reply)
    {
        var line = (TracedCall)_trace.Lines[_next - 1];
        if (reply is null)
        {
            Report(line, "is skipped: a handle is not bound, or the caller cannot make a call");
        }
        else if (line.Expected is { } expected)
        {
            ExpectedReply actual = ReplyRendering.Render(call, reply, _bindings);
            if (!Agrees(expected, actual))
            {
                Report(line, $"the reply is {TracePrinter.Print(call, actual)}");
            }
        }
    }

    private static bool Agrees(ExpectedReply expected, ExpectedReply actual) =>
        (expected, actual) switch
        {
            (ExpectedReply.Bound, ExpectedReply.Bound or ExpectedReply.Value) => true,
            (ExpectedReply.Value e, ExpectedReply.Value a) => e.Result == a.Result
                && e.Fields.All(field => a.Fields.Contains(field)),
            _ => expected == actual,
        };

    private void Compare(TracedObservation line, Observation observation)
    {
        foreach (ExpectedRow row in line.Rows)
        {
            if (ObservedRow.Find(
                row, observation, _bindings, _trace.Machine.PageSize) is not { } figures)
            {
                Report(line, $"there is no {row.Kind} such as this one");
                continue;
            }

            foreach (ExpectedField field in row.Fields)
            {
                if (!figures.TryGetValue(field.Name, out ExpectedValue actual))
                {
                    Report(line, $"a {row.Kind} has no figure {field.Name}");
                }
                else if (field.Value != actual)
                {
                    Report(line, FieldText.Print(new ExpectedField(field.Name, actual)));
                }
            }
        }
    }

    private void Report(TraceLine line, string problem) => _mismatches.Add(
        new Mismatch(_next - 1 + FirstLine, TracePrinter.Print(line), problem));
}
