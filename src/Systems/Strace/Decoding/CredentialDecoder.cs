using System.Collections.Immutable;
using System.Text;
using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Decodes the calls that change credentials. The names that end in 32 are those of
/// 32-bit programs.</summary>
internal static class CredentialDecoder
{
    public static SyscallArguments Decode(string name, ref ArgumentReader reader)
    {
        string call = name.EndsWith("32", StringComparison.Ordinal) ? name[..^2] : name;
        bool ofGroup = call.EndsWith("gid", StringComparison.Ordinal);
        return call switch
        {
            "setuid" or "setgid" =>
                new SetIdArguments(IdCall.Set, ofGroup, reader.Int32(0)),
            "setfsuid" or "setfsgid" =>
                new SetIdArguments(IdCall.SetFileSystem, ofGroup, reader.Int32(0)),
            "setreuid" or "setregid" => new SetIdArguments(
                IdCall.SetRealEffective, ofGroup, reader.Int32(0), reader.Int32(1)),
            "setresuid" or "setresgid" => new SetIdArguments(
                IdCall.SetRealEffectiveSaved, ofGroup, reader.Int32(0), reader.Int32(1),
                reader.Int32(2)),
            "setgroups" => DecodeGroups(ref reader),
            _ => DecodeCapabilities(ref reader),
        };
    }

    private static SetGroupsArguments DecodeGroups(ref ArgumentReader reader)
    {
        ulong count = reader.Number(0);
        ReadOnlySpan<char> list = reader.Text(1);
        if (list.Length < 2 || list[0] != '[' || list[^1] != ']')
        {
            _ = reader.Number(1);
            return new SetGroupsArguments(count, default, count > 0);
        }

        ImmutableArray<int>.Builder groups = ImmutableArray.CreateBuilder<int>();
        foreach (Range part in list[1..^1].Split(','))
        {
            ReadOnlySpan<char> text = list[1..^1][part].Trim(' ');
            if (text.SequenceEqual("..."))
            {
                return new SetGroupsArguments(count, groups.ToImmutable(), true);
            }

            if (ConstantText.TryNumber(text, out ulong group))
            {
                groups.Add(unchecked((int)group));
            }
            else if (!text.IsEmpty)
            {
                reader.Miss(1, "a list of groups");
            }
        }

        return new SetGroupsArguments(count, groups.ToImmutable(), false);
    }

    private static CapSetArguments DecodeCapabilities(ref ArgumentReader reader)
    {
        StructText header = reader.Struct(0);
        StructText data = reader.Struct(1);
        if (!header.IsStruct || !data.IsStruct)
        {
            _ = header.IsStruct ? 0 : reader.Number(0);
            _ = data.IsStruct ? 0 : reader.Number(1);
            return new CapSetArguments(header.Int32("pid") ?? 0, null);
        }

        return new CapSetArguments(
            unchecked((int)reader.Field(header, "pid", 0)),
            new CapabilitySets(
                SetOf(ref reader, data.Field("effective")),
                SetOf(ref reader, data.Field("permitted")),
                SetOf(ref reader, data.Field("inheritable"))));
    }

    /// <summary>A set is printed as two words, the lower one first: as numbers, as numbers with
    /// the names as comments, or as names; then a number is bits of the upper word that have no
    /// name, since all bits of the lower one have.</summary>
    private static ulong SetOf(ref ArgumentReader reader, ReadOnlySpan<char> text)
    {
        const int wordBits = 32;
        string names = CommentsInsteadOfNumbers(text);
        ulong set = 0;
        int numbers = 0;
        foreach (Range part in names.AsSpan().Split('|'))
        {
            ReadOnlySpan<char> term = names.AsSpan()[part].Trim(' ');
            if (!ConstantText.TryRead(term, ConstantTable.Capabilities, out FlagWord word)
                || word.UnknownNames is not null)
            {
                reader.Miss(1, "sets of capabilities");
                return 0;
            }

            bool isName = term.Contains("CAP_", StringComparison.Ordinal);
            bool isUpper = !isName
                && (numbers++ > 0 || names.Contains("CAP_", StringComparison.Ordinal));
            set |= isUpper ? word.Bits << wordBits : word.Bits;
        }

        return set;
    }

    /// <summary>Turns <c>0x200 /* 1&lt;&lt;CAP_KILL */</c> into its comment.</summary>
    private static string CommentsInsteadOfNumbers(ReadOnlySpan<char> text)
    {
        var names = new StringBuilder();
        while (!text.IsEmpty)
        {
            int open = text.IndexOf("/*");
            int close = open < 0 ? -1 : Nesting.SkipComment(text, open);
            if (close < 0)
            {
                return names.Append(text).ToString();
            }

            // What stands before the comment, back to the last bar, is the number.
            int bar = text[..open].LastIndexOf('|');
            names.Append(text[..(bar + 1)]).Append(text[(open + 2)..(close - 2)]);
            text = text[close..];
        }

        return names.ToString();
    }
}
