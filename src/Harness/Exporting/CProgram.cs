using System.Collections.Immutable;
using System.Text;
using ShmCheck.Abi;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Harness.Exporting;

/// <summary>A trace as a C program that depends on nothing: it makes the calls in real processes
/// in an IPC namespace of its own, and ends with 0 if the kernel does as the trace says, with 1 if
/// not, and with 77 if it cannot be asked.</summary>
public static class CProgram
{
    /// <summary>Writes the program of a trace.</summary>
    /// <param name="trace">The trace.</param>
    /// <param name="unread">Names of figures that the program does not check, because other
    /// programs change them.</param>
    /// <param name="figures">Names of the figures that are read behind the last call; when not
    /// given, those that the commentary of the trace names, or those that tell most.</param>
    /// <exception cref="CannotExportException">It has a call that a program cannot make.
    /// </exception>
    public static string Of(
        Trace trace, out ImmutableArray<string> unread,
        IReadOnlyCollection<string>? figures = null)
    {
        ImmutableArray<SpecifiedLine> lines = SpecifiedTrace.Run(trace, figures);
        RefuseLuck(lines);
        HashSet<ProcessHandle> firsts = FirstsOfThreads(lines);
        RefuseEndsOfThreads(lines, firsts);
        unread = [.. lines.OfType<SpecifiedFigures>().SelectMany(line => line.Unread).Distinct()];
        string remark = unread.IsEmpty ? ""
            : $"// Not checked, since other programs change it: {string.Join(", ", unread)}\n";
        ImmutableArray<SpecifiedCall> calls = [.. lines.OfType<SpecifiedCall>()];
        var swap = new CSwapNeeds(SpecifiedTrace.NeedsFullSwap(trace), lines
            .OfType<SpecifiedFigures>().SelectMany(line => line.Figures).Any(f => f.IsOfSwapCache));
        var needs = new CNeeds(
            trace.Machine, calls, SpecifiedTrace.Profiles(trace, figures), swap);
        if (OneProcess.Suffices(lines))
        {
            string list = OneProcess.Steps(List(trace.Machine, lines, caller => "", firsts));
            string rest = list + OneProcess.Main(list, needs);
            return OneProcess.Head(trace.Machine, rest) + remark + rest;
        }
        else
        {
            string list = SeveralProcesses.Steps(
                List(trace.Machine, lines, caller => $"{caller}, ", firsts));
            string rest = list + SeveralProcesses.Main(list, needs);
            int processes = trace.Calls.OfType<SpawnCall>()
                .Select(call => call.Result.Number).Append(1).Max();
            return SeveralProcesses.Head(trace.Machine, processes, rest) + remark + rest;
        }
    }

    /// <summary>Whether there is room behind a mapping whose place the kernel chose depends on what
    /// else it put there.</summary>
    private static void RefuseLuck(ImmutableArray<SpecifiedLine> lines)
    {
        Call[] calls = [.. lines.OfType<SpecifiedCall>().Select(line => line.Call)];
        HashSet<MappingHandle> chosen =
        [
            .. calls.OfType<ShmAt>().Where(c => c.Address == AddressRef.Null).Select(c => c.Result),
            .. calls.OfType<MMap>().Where(c => c.Start == AddressRef.Null).Select(c => c.Result),
        ];
        MRemap? lucky = calls.OfType<MRemap>().FirstOrDefault(c =>
            c.NewLength > c.Length && (c.Flags & MRemapFlags.MREMAP_MAYMOVE) == 0
            && c.Start.Handle is { } start && chosen.Contains(start));
        if (lucky is not null)
        {
            throw CCall.Cannot(lucky, "whether it can grow there is up to the kernel");
        }
    }

    /// <summary>Nobody can wait for the end of a thread that is not the first of its process, nor
    /// go on in a space that another one shares once that one has a new program.</summary>
    private static void RefuseEndsOfThreads(
        ImmutableArray<SpecifiedLine> lines, HashSet<ProcessHandle> firsts)
    {
        Call[] calls = [.. lines.OfType<SpecifiedCall>().Select(line => line.Call)];
        Clone[] sharing = [.. calls.OfType<Clone>().Where(clone =>
            (clone.Flags & CloneFlags.CLONE_VM) != 0
            && (clone.Flags & CloneFlags.CLONE_VFORK) == 0)];
        bool threadsOnly = sharing.All(clone => (clone.Flags & CloneFlags.CLONE_THREAD) != 0);
        if (sharing.Length > 0 && calls.FirstOrDefault(call => call switch
        {
            Exit exit => !threadsOnly || !firsts.Contains(exit.Caller),
            Exec => !threadsOnly,
            ExitGroup or Kill => true,
            _ => false,
        }) is { } end)
        {
            throw CCall.Cannot(end, "the processes of the program share its memory by then");
        }
    }

    /// <summary>The processes that make threads: each is the first of its own.</summary>
    private static HashSet<ProcessHandle> FirstsOfThreads(ImmutableArray<SpecifiedLine> lines)
    {
        Clone[] threads = [.. lines.OfType<SpecifiedCall>().Select(line => line.Call)
            .OfType<Clone>().Where(clone => (clone.Flags & CloneFlags.CLONE_THREAD) != 0)];
        return [.. threads.Select(clone => clone.Caller)
            .Except(threads.Select(clone => clone.Result))];
    }

    /// <summary>The calls, and the figures between them.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="lines">The trace.</param>
    /// <param name="by">How the process that makes a call is named before it.</param>
    /// <param name="firsts">The first threads of processes.</param>
    private static string List(
        MachineConfig machine, ImmutableArray<SpecifiedLine> lines, Func<int, string> by,
        HashSet<ProcessHandle> firsts)
    {
        var text = new StringBuilder();
        bool endsNamespaces = lines.OfType<SpecifiedCall>().Any(line => line.Call is Unshare
            or Clone { Flags: CloneFlags.CLONE_NEWIPC });
        foreach (SpecifiedLine line in lines)
        {
            if (line is SpecifiedCall call)
            {
                AddCall(text, call, machine, by, firsts);
            }
            else
            {
                AddFigures(text, ((SpecifiedFigures)line).Figures, endsNamespaces);
            }
        }

        return text.ToString();
    }

    private static void AddCall(
        StringBuilder text, SpecifiedCall line, MachineConfig machine, Func<int, string> by,
        HashSet<ProcessHandle> firsts)
    {
        int caller = (line.Call as ProcessCall)?.Caller.Number ?? 0;
        string trace = by(caller)
            + Quote(TracePrinter.Print(new TracedCall(line.Call, line.Expected)));
        text.Append(line.Call switch
        {
            Exit exit when firsts.Contains(exit.Caller) =>
                CParts.Statement("LEAVES", trace, "syscall(SYS_exit, 0)"),
            Exit or ExitGroup => CParts.Statement("ENDS", trace, "syscall(SYS_exit_group, 0)"),
            Exec when line.Expected is not ExpectedReply.Error =>
                CParts.Statement("CALL", trace, $"0, again({caller})"),
            VFork or Clone { Flags: CloneFlags.CLONE_VFORK | CloneFlags.CLONE_VM }
                when line.Expected is not ExpectedReply.Error =>
                CParts.Statement("VFORK", trace, $"{((SpawnCall)line.Call).Result.Number}"),
            _ => CParts.Statement("CALL", trace,
                $"{Wanted(line, machine)}, {CCall.Expression(line.Call, machine)}"),
        });
        if (line.Expected is ExpectedReply.Value { Fields: var fields })
        {
            AddFigures(text, fields.Select(field => OfReply(line.Call, field)), areLate: false);
        }
    }

    /// <summary>Figures are read once, except those of the machine where a namespace may have
    /// ended: what was in it goes a little later.</summary>
    private static void AddFigures(
        StringBuilder text, IEnumerable<CFigure> figures, bool areLate)
    {
        foreach (CFigure figure in figures)
        {
            text.Append(CParts.Statement(areLate && figure.IsOfMachine ? "LATE" : "FIGURE",
                Quote(figure.Text), $"{figure.Wanted}, {figure.Read}"));
        }
    }

    private static string Wanted(SpecifiedCall line, MachineConfig machine) => line.Expected switch
    {
        ExpectedReply.Bound => AddressOf(line.Call) is { } address
            ? CCall.Of(address, machine) : "SUCCESS",
        ExpectedReply.Error error => $"-{error.Errno}",
        ExpectedReply.Raised raised => $"RAISED({raised.Signal})",
        ExpectedReply.Value value => CFigure.Value(new ExpectedField("", value.Result)),
        _ => throw new InvalidOperationException($"unknown reply {line.Expected}"),
    };

    /// <summary>The address that a call can only return; null where the kernel has a choice.
    /// </summary>
    private static AddressRef? AddressOf(Call call) => call switch
    {
        MRemap { NewLength: var now, Length: var old } c when old > 0 && now <= old
            && (c.Flags & ~MRemapFlags.MREMAP_MAYMOVE) == 0 => c.Start,
        MMap c when (c.Flags & (MapFlags.MAP_FIXED | MapFlags.MAP_FIXED_NOREPLACE)) != 0 =>
            c.Start,
        ShmAt c when c.Address != AddressRef.Null && !c.Flags.Round => c.Address,
        _ => null,
    };

    private static CFigure OfReply(Call call, ExpectedField field) => new(
        $"  {FieldText.Print(field)}", CFigure.Value(field), call switch
        {
            ShmCtlShmInfo => $"(long)m->info.{field.Name}",
            ShmCtlIpcInfo => $"(long)m->limits.{field.Name}",
            _ => CFigure.OfStructure("m->ds", field.Name),
        });

    private static string Quote(string text) => $"\"{text}\"";
}
