using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Decides what is no log that can be followed, and says why.</summary>
internal sealed class LogRefusals(List<LogText> texts, StraceSidecar? sidecar)
{
    private const string AllCalls =
        "a log of all calls, not one filtered by their result (-z, -Z, -e status)";

    private SourcePosition? _bareEnd;
    private SourcePosition? _summary;

    private SourcePosition Start => texts.Count > 0
        ? texts[0].Position(0, 0) : new SourcePosition("", 1, 1);

    /// <summary>Rejects what needs no reading.</summary>
    public void CheckTexts()
    {
        if (sidecar?.Strace is { FiltersByStatus: true })
        {
            throw StraceFormatException.At(Start, AllCalls);
        }

        if (texts.TrueForAll(text => text.IsBlank))
        {
            throw StraceFormatException.At(Start, "an strace log; there is no text");
        }
    }

    /// <summary>Takes over what reading a section showed.</summary>
    public void Note(SectionReader reader)
    {
        _bareEnd ??= reader.BareEnd;
        _summary ??= reader.Summary;
    }

    /// <summary>Rejects what was read but cannot be followed.</summary>
    public void CheckEvents(CallAssembler assembler, StraceFormat format)
    {
        if (assembler.Events.Count == 0)
        {
            throw NoEvents(format);
        }

        if (_bareEnd is SourcePosition bare)
        {
            throw StraceFormatException.At(bare, $"the task and the name of the call; {AllCalls}");
        }

        // A log of successes only: every call that failed is missing, and so is the end of those
        // that another task interrupted and that then failed.
        bool onlySuccesses = !assembler.Calls.Exists(call => call.Result.Kind
            is ResultKind.Error or ResultKind.NoReturn or ResultKind.Restarted);
        if (onlySuccesses && format.FirstBrokenPair is SourcePosition broken)
        {
            throw StraceFormatException.At(broken, $"a call whose end is shown; {AllCalls}");
        }

        var seen = new TracedSyscalls(null, assembler.Calls.Select(call => call.Name).Distinct());
        bool lacksExit = seen.IsAll && !seen.Seen.Contains("exit_group");
        if (onlySuccesses && lacksExit
            && assembler.Events.Find(happened => happened is TaskExited) is TaskExited end)
        {
            throw StraceFormatException.At(
                end.Position, $"exit_group before the end of the process; {AllCalls}");
        }
    }

    private StraceFormatException NoEvents(StraceFormat format)
    {
        if (_summary is SourcePosition summary)
        {
            return StraceFormatException.At(summary, "calls, not a summary of them (-c)");
        }

        LogText? binary = texts.Find(text => text.LooksBinary);
        if (binary is not null)
        {
            return StraceFormatException.At(
                binary.Position(0, 0), "the text of an strace log, not binary data");
        }

        return StraceFormatException.At(format.FirstStray ?? Start,
            "an strace log; no line of it is a call, a signal or the end of a process");
    }
}
