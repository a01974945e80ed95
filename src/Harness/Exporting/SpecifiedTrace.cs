using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Replaying;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Traces;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Exporting;

/// <summary>A call that can be made, with the reply that it should have: the one that the trace
/// has, or else that of the specification.</summary>
/// <param name="Call">The call.</param>
/// <param name="Expected">The reply.</param>
internal sealed record SpecifiedCall(Call Call, ExpectedReply Expected) : SpecifiedLine;

/// <summary>Figures that are read at a point.</summary>
/// <param name="Figures">Those that can be read.</param>
/// <param name="Unread">Names of those that cannot.</param>
internal sealed record SpecifiedFigures(
    ImmutableArray<CFigure> Figures, ImmutableArray<string> Unread) : SpecifiedLine;

/// <summary>A line of a trace that a program repeats.</summary>
internal abstract record SpecifiedLine;

/// <summary>Runs a trace on the specification, and keeps what a program has to know of it.
/// </summary>
internal sealed class SpecifiedTrace : ICallSource, IStepListener
{
    private const string Diverges = " diverges: ";

    /// <summary>More than any trace fills.</summary>
    private const ulong MoreSlots = 1 << 20;

    private readonly Trace _trace;
    private readonly StringBuilder _told = new();
    private readonly Bindings _bindings = new();
    private readonly Observation _observation = new();
    private readonly ImmutableArray<SpecifiedLine>.Builder _lines =
        ImmutableArray.CreateBuilder<SpecifiedLine>();
    private int _next;
    private string? _obstacle;

    private readonly IReadOnlyCollection<string>? _figures;

    private SpecifiedTrace(Trace trace, IReadOnlyCollection<string>? figures)
    {
        _trace = trace;
        _figures = figures;
    }

    /// <summary>The lines that a program repeats.</summary>
    /// <param name="trace">The trace. Where it is that of a divergence, the figures that differ
    /// are read behind its last call, otherwise those of all segments, unless it says itself what
    /// to read there.</param>
    /// <param name="figures">Names of the figures that are read there instead.</param>
    public static ImmutableArray<SpecifiedLine> Run(
        Trace trace, IReadOnlyCollection<string>? figures) => Run(trace, figures, out _);

    /// <summary>The first and the last profile around that of a trace under which the
    /// specification replies alike and shows alike what the program reads.</summary>
    public static (KernelProfile First, KernelProfile Last) Profiles(
        Trace trace, IReadOnlyCollection<string>? figures)
    {
        KernelProfile own = trace.Machine.Profile;
        bool IsLike(KernelProfile profile) =>
            IsSameOn(trace, figures, trace.Machine with { Profile = profile });
        IEnumerable<KernelProfile> below =
            SystemCapabilities.AllProfiles.Where(p => p < own).OrderDescending();
        IEnumerable<KernelProfile> above =
            SystemCapabilities.AllProfiles.Where(p => p > own).Order();
        return (below.TakeWhile(IsLike).LastOrDefault(own),
            above.TakeWhile(IsLike).LastOrDefault(own));
    }

    /// <summary>Whether a trace fills its swap device, and shows it.</summary>
    public static bool NeedsFullSwap(Trace trace) => trace.Machine.SwapSlots > 0
        && !IsSameOn(
            trace, null, trace.Machine with { SwapSlots = trace.Machine.SwapSlots + MoreSlots });

    private static bool IsSameOn(
        Trace trace, IReadOnlyCollection<string>? figures, MachineConfig machine)
    {
        Run(trace, figures, out string told);
        Run(trace with { Machine = machine }, figures, out string otherwise);
        return told == otherwise;
    }

    private static ImmutableArray<SpecifiedLine> Run(
        Trace trace, IReadOnlyCollection<string>? figures, out string told)
    {
        var source = new SpecifiedTrace(trace, figures);
        var record = new RunRecord();
        new SequenceRunner(SpecSystem.Factory, source).Run(
            trace.Machine, source, record, endProcesses: false);
        if (source._obstacle is { } obstacle)
        {
            throw new CannotExportException(obstacle);
        }

        int call = 0;
        for (int at = 0; at < source._lines.Count; at++)
        {
            if (source._lines[at] is SpecifiedCall made)
            {
                Reply? reply = record.Replies[call++];
                source._told.Append(reply is null ? "skipped" : TracePrinter.Print(
                    made.Call, ReplyRendering.Render(made.Call, reply, record.Bindings)));
                source._lines[at] = reply is null ? new SpecifiedFigures([], [])
                    : made.Expected is not null ? made
                    : made with
                    {
                        Expected = ReplyRendering.Render(made.Call, reply, record.Bindings),
                    };
            }
        }

        if (source._lines.LastOrDefault() is not SpecifiedFigures { Figures.Length: > 0 })
        {
            source._lines.Add(source.Last());
        }

        told = source._told.ToString();
        return source._lines.ToImmutable();
    }

    /// <inheritdoc/>
    public Call? Next(Observation observation, Bindings bindings)
    {
        _bindings.CopyFrom(bindings);
        _observation.CopyFrom(observation);
        while (_next < _trace.Lines.Length)
        {
            switch (_trace.Lines[_next++])
            {
                case TracedCall line:
                    _lines.Add(new SpecifiedCall(line.Call, line.Expected!));
                    return line.Call;
                case TracedObservation line:
                    _lines.Add(Read(line.Rows));
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
    }

    /// <inheritdoc/>
    public void Stepped(Call call, in StepResult result, StepLog log, Observation observation)
    {
        if (log.Rules.Any(rule => rule.Id == "machine.frames"))
        {
            _obstacle ??= $"{TracePrinter.Print(call)}: no kernel has so few frames";
        }
        else if (Enumerable.Range(0, observation.Namespaces.Count)
            .All(row => observation.Namespaces[row][(int)NamespaceField.Namespace] != 0))
        {
            _obstacle ??= $"{TracePrinter.Print(call)}: the program looks on from the first "
                + "namespace, which would have to end";
        }
    }

    private SpecifiedFigures Read(IEnumerable<ExpectedRow> rows)
    {
        var read = ImmutableArray.CreateBuilder<CFigure>();
        var unread = ImmutableArray.CreateBuilder<string>();
        var sight = new Sight(_trace.Machine, _observation, _bindings);
        foreach (ExpectedRow row in rows)
        {
            Dictionary<string, ExpectedValue>? figures = sight.Figures(row);
            foreach (ExpectedField field in row.Fields)
            {
                if (CFigure.Of(row, field, sight) is { } figure)
                {
                    read.Add(figure);
                    _told.Append(CultureInfo.InvariantCulture, $" {
                        figures?.GetValueOrDefault(field.Name)}");
                }
                else
                {
                    unread.Add(field.Name);
                }
            }
        }

        return new SpecifiedFigures(read.ToImmutable(), [.. unread.Distinct()]);
    }

    private SpecifiedFigures Last()
    {
        HashSet<string> wanted = [.. _figures ?? DivergingFields()];
        bool all = wanted.Count == 0 && _figures is null;
        if (all)
        {
            wanted.UnionWith(CFigure.Telling);
            wanted.UnionWith(_trace.Machine.HugePages == 0 ? []
                : Enum.GetNames<GlobalField>().Where(
                    name => name.StartsWith("HugePages_", StringComparison.Ordinal)));
        }

        SpecifiedFigures read = Read(Rows().Select(row => row with
        {
            Fields = [.. row.Fields.Where(field => wanted.Contains(field.Name))],
        }));
        return all ? read with { Unread = [] } : read;
    }

    /// <summary>The fields of a divergence that the commentary of the trace tells.</summary>
    private IEnumerable<string> DivergingFields() =>
        _trace.Lines.OfType<TraceComment>()
            .Where(line => line.Text?.StartsWith(Diverges, StringComparison.Ordinal) ?? false)
            .SelectMany(line => line.Text!.Split(" | ")[1].Split(','))
            .Where(name => FieldText.IsKnown(name) && name != nameof(SegmentField.Namespace));

    /// <summary>All rows that a program could read, with all figures.</summary>
    private IEnumerable<ExpectedRow> Rows()
    {
        IEnumerable<ExpectedRow> rows =
        [
            new(ExpectedRowKind.Global, 0, default, []),
            new(ExpectedRowKind.Namespace, 0, default, []),
            .. Enumerable.Range(1, _trace.Lines.Length)
                .Where(number => InFirstNamespace(number))
                .Select(number => new ExpectedRow(ExpectedRowKind.Segment, number, default, [])),
            .. Enumerable.Range(1, _bindings.ProcessCount).SelectMany(number => Mappings(number)
                .Prepend(new ExpectedRow(ExpectedRowKind.Process, number, default, []))),
        ];
        foreach (ExpectedRow row in rows)
        {
            if (ObservedRow.Find(row, _observation, _bindings, _trace.Machine.PageSize)
                is { } figures)
            {
                yield return row with
                {
                    Fields = [.. figures.Select(f => new ExpectedField(f.Key, f.Value))],
                };
            }
        }
    }

    private bool InFirstNamespace(int number) =>
        ObservedRow.Find(
            new ExpectedRow(ExpectedRowKind.Segment, number, default, []), _observation,
            _bindings, _trace.Machine.PageSize) is { } figures
        && figures[nameof(SegmentField.Namespace)].Number == 0;

    /// <summary>The mappings of a process, each named by a handle.</summary>
    private IEnumerable<ExpectedRow> Mappings(int process)
    {
        if (!_bindings.TryResolve(new ProcessHandle(process), out int pid))
        {
            yield break;
        }

        for (int at = 0; at < _observation.Mappings.Count; at++)
        {
            if ((int)_observation.Mappings[at][(int)MappingField.Pid] == pid
                && _bindings.FindMapping(
                    _observation.Mappings[at][(int)MappingField.Start],
                    out MappingHandle handle, out ulong offset))
            {
                yield return new ExpectedRow(
                    ExpectedRowKind.Mapping, process, AddressRef.Of(handle, (long)offset), []);
            }
        }
    }
}
