using System.Buffers.Text;
using System.Text;
using ShmCheck.Abi;

namespace ShmCheck.Systems.Live;

/// <summary>Reads what an agent answers.</summary>
internal static class AgentReply
{
    /// <summary>Reads the reply to a call.</summary>
    /// <param name="line">The line.</param>
    /// <param name="call">The call.</param>
    /// <exception cref="FormatException">No agent says that.</exception>
    /// <exception cref="CallNotPossibleException">The call was not made.</exception>
    public static Reply Read(ReadOnlySpan<byte> line, Call call)
    {
        var words = new WordReader(line);
        ReadOnlySpan<byte> kind = words.Next();
        if (kind.SequenceEqual("ok"u8))
        {
            return ReadValue(ref words, call);
        }

        if (kind.SequenceEqual("err"u8))
        {
            string name = Encoding.UTF8.GetString(words.Next());
            string number = name.Length > 1 && char.IsAsciiDigit(name[1]) ? name[1..] : name;
            return Enum.TryParse(number, out Errno errno) && errno > Errno.None
                ? Reply.Of(errno)
                : throw new FormatException($"the error {name} is not known");
        }

        return kind.SequenceEqual("sig"u8) ? ReadSignal(ref words)
            : kind.SequenceEqual("died"u8) || kind.SequenceEqual("hang"u8)
                ? new Reply.Lost(Encoding.UTF8.GetString(line))
            : kind.SequenceEqual("skip"u8)
                ? throw new CallNotPossibleException(
                    "it would meet the agent's own memory, fill the machine's, or swap private "
                    + "memory")
            : throw new FormatException($"unexpected '{Encoding.UTF8.GetString(line)}'");
    }

    /// <summary>Reads the reply to a command of the controller.</summary>
    /// <returns>The value.</returns>
    /// <exception cref="FormatException">It failed.</exception>
    public static long ReadControl(ReadOnlySpan<byte> line)
    {
        var words = new WordReader(line);
        return words.Next().SequenceEqual("ok"u8) ? words.NextNumber()
            : throw new FormatException($"unexpected '{Encoding.UTF8.GetString(line)}'");
    }

    private static Reply.Raised ReadSignal(ref WordReader words)
    {
        ReadOnlySpan<byte> name = words.Next();
        return name.SequenceEqual("BUS"u8) ? Reply.Raised.Sigbus
            : name.SequenceEqual("SEGV"u8) ? Reply.Raised.Sigsegv
            : throw new FormatException($"unexpected signal {Encoding.UTF8.GetString(name)}");
    }

    private static Reply ReadValue(ref WordReader words, Call call)
    {
        long value = words.NextNumber();
        ReplyData? data = call switch
        {
            ShmCtlStat or ShmCtlStatIndex => ReadStat(ref words),
            ShmCtlShmInfo => new ShmTotals(
                words.NextUnsigned(), words.NextUnsigned(), words.NextUnsigned(),
                words.NextUnsigned()),
            ShmCtlIpcInfo => new ShmLimits(
                words.NextUnsigned(), words.NextUnsigned(), words.NextUnsigned(),
                words.NextUnsigned(), words.NextUnsigned()),
            _ => null,
        };
        words.ExpectEnd();
        return value == 0 && data is null ? Reply.Zero : new Reply.Value(value, data);
    }

    private static SegmentStat ReadStat(ref WordReader words) => new(
        Key: (int)words.NextNumber(), Uid: (int)words.NextNumber(), Gid: (int)words.NextNumber(),
        Cuid: (int)words.NextNumber(), Cgid: (int)words.NextNumber(),
        Mode: (int)words.NextNumber(), SegmentSize: words.NextUnsigned(),
        CreatorPid: (int)words.NextNumber(), LastPid: (int)words.NextNumber(),
        Attaches: words.NextUnsigned(), AttachTime: Stamp.At(words.NextNumber()),
        DetachTime: Stamp.At(words.NextNumber()), ChangeTime: Stamp.At(words.NextNumber()));
}

/// <summary>Takes a line apart into words and numbers.</summary>
internal ref struct WordReader(ReadOnlySpan<byte> line)
{
    private ReadOnlySpan<byte> _rest = line;

    /// <summary>Whether there is another word.</summary>
    public readonly bool HasMore => !_rest.IsEmpty;

    /// <summary>The next word; words are separated by one space.</summary>
    public ReadOnlySpan<byte> Next()
    {
        int at = _rest.IndexOf((byte)' ');
        ReadOnlySpan<byte> word = at < 0 ? _rest : _rest[..at];
        _rest = at < 0 ? [] : _rest[(at + 1)..];
        return !word.IsEmpty ? word : throw new FormatException("a word is missing");
    }

    /// <summary>The next word as a number, signed or with the same 64 bits.</summary>
    public long NextNumber()
    {
        ReadOnlySpan<byte> word = Next();
        return Utf8Parser.TryParse(word, out long value, out int used) && used == word.Length
            ? value
            : Utf8Parser.TryParse(word, out ulong large, out used) && used == word.Length
                ? (long)large
                : throw new FormatException(
                    $"'{Encoding.UTF8.GetString(word)}' is not a number");
    }

    /// <summary>The next word as 64 bits.</summary>
    public ulong NextUnsigned() => (ulong)NextNumber();

    /// <summary>Asserts that nothing follows.</summary>
    public readonly void ExpectEnd()
    {
        if (HasMore)
        {
            throw new FormatException($"unexpected '{Encoding.UTF8.GetString(_rest)}'");
        }
    }
}
