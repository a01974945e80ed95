using System.Collections.Immutable;
using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Decodes the calls that concern tasks, namespaces and limits.</summary>
internal static class ProcessDecoder
{
    private const ulong SignalMask = 0xff;

    public static SyscallArguments Decode(string name, ref ArgumentReader reader) => name switch
    {
        "fork" => new ForkArguments(),
        "vfork" => new VForkArguments(),
        "clone" => DecodeClone(ref reader),
        "clone3" => DecodeClone3(ref reader),
        "execve" => new ExecArguments(reader.Quoted(0), reader.Text(1).ToString()),
        "execveat" => new ExecArguments(reader.Quoted(1), reader.Text(2).ToString()),
        "exit" or "exit_group" => new ExitArguments(reader.Int32(0), name == "exit_group"),
        "wait4" or "waitpid" => new WaitArguments(
            null, reader.Int32(0), StatusOf(reader.Text(1)), OptionsOf(ref reader, 2)),
        "waitid" => new WaitArguments(
            reader.KnownWord(0, ConstantTable.Wait), reader.Descriptor(1).Number,
            StatusOf(reader.Text(2)), OptionsOf(ref reader, 3)),
        "kill" => new KillArguments(
            reader.Int32(0), null, reader.KnownWord(1, ConstantTable.Signals)),
        "tkill" => new KillArguments(
            null, reader.Int32(0), reader.KnownWord(1, ConstantTable.Signals)),
        "tgkill" => new KillArguments(
            reader.Int32(0), reader.Int32(1), reader.KnownWord(2, ConstantTable.Signals)),
        "unshare" => new UnshareArguments(reader.Word(0, ConstantTable.Clone)),
        "setns" => new SetNsArguments(
            reader.Descriptor(0), reader.Word(1, ConstantTable.Clone)),
        "prctl" => DecodePrctl(ref reader),
        "setrlimit" => DecodeLimit(ref reader, 0, 0),
        "prlimit64" => DecodeLimit(ref reader, reader.Int32(0), 1),
        _ => new PersonalityArguments(reader.Word(0, ConstantTable.Personality)),
    };

    /// <summary>strace names the arguments of clone, since their order depends on the
    /// architecture; raw, flags and stack come first on x86.</summary>
    private static CloneArguments DecodeClone(ref ArgumentReader reader)
    {
        int flags = Math.Max(0, reader.Find("flags"));
        int stack = reader.Find("child_stack");
        FlagWord word = reader.Word(flags, ConstantTable.Clone);
        return new CloneArguments(
            word with { Bits = word.Bits & ~SignalMask }, (int)(word.Bits & SignalMask),
            reader.Number(stack < 0 ? 1 : stack));
    }

    private static CloneArguments DecodeClone3(ref ArgumentReader reader)
    {
        StructText structure = reader.Struct(0);
        bool valid = ConstantText.TryRead(
            structure.Field("flags"), ConstantTable.Clone, out FlagWord flags);
        valid &= ConstantText.TryRead(
            structure.Field("exit_signal"), ConstantTable.Signals, out FlagWord signal);
        if (!valid)
        {
            reader.Miss(0, "the structure clone_args");
        }

        return new CloneArguments(
            flags, unchecked((int)signal.Bits), structure.Number("stack") ?? 0);
    }

    private static string? StatusOf(ReadOnlySpan<char> text) =>
        text.Length > 0 && text[0] is '[' or '{' ? text.ToString() : null;

    /// <summary>Options are printed behind the status: not before the call returns.</summary>
    private static FlagWord OptionsOf(ref ArgumentReader reader, int index) =>
        reader.Has(index) ? reader.Word(index, ConstantTable.Wait) : default;

    private static PrctlArguments DecodePrctl(ref ArgumentReader reader)
    {
        FlagWord option = reader.Word(0, ConstantTable.Prctl);
        ImmutableArray<string> rest = reader.Rest(1);
        ulong? value = rest.Length > 0 && ConstantText.TryNumber(rest[0], out ulong number)
            ? number : null;
        return new PrctlArguments(
            unchecked((int)option.Bits), option.UnknownNames, value, rest);
    }

    private static RLimitArguments DecodeLimit(ref ArgumentReader reader, int process, int first)
    {
        int resource = reader.KnownWord(first, ConstantTable.Resources);
        RLimit? change = DecodeLimitValue(ref reader, first + 1);
        bool isHidden = change is null && reader.Number(first + 1) != 0;
        RLimit? previous = reader.Has(first + 2) ? DecodeLimitValue(ref reader, first + 2) : null;
        return new RLimitArguments(process, resource, change, previous, isHidden);
    }

    private static RLimit? DecodeLimitValue(ref ArgumentReader reader, int index)
    {
        StructText structure = reader.Struct(index);
        if (!structure.IsStruct)
        {
            return null;
        }

        return new RLimit(
            LimitOf(ref reader, structure.Field("rlim_cur"), index),
            LimitOf(ref reader, structure.Field("rlim_max"), index));
    }

    private static ulong LimitOf(ref ArgumentReader reader, ReadOnlySpan<char> text, int index)
    {
        if (!ConstantText.TryRead(text, ConstantTable.Resources, out FlagWord value)
            || value.UnknownNames is not null)
        {
            reader.Miss(index, "a limit");
        }

        // Of a 32-bit program it is 32 bits wide, and a comment says what it means.
        return text.Contains("INFINITY", StringComparison.Ordinal) ? ulong.MaxValue : value.Bits;
    }
}
