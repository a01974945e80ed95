using System.Collections.Immutable;
using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Decodes the calls on ranges of memory.</summary>
internal static class MemoryDecoder
{
    /// <summary>Unit of the offset of mmap2.</summary>
    private const ulong OffsetUnit = 4096;

    public static SyscallArguments Decode(string name, ref ArgumentReader reader) => name switch
    {
        "mmap" or "mmap2" => DecodeMap(name, ref reader),
        "munmap" => new MUnmapArguments(reader.Number(0), reader.Number(1)),
        "mremap" => new MRemapArguments(
            reader.Number(0), reader.Number(1), reader.Number(2),
            reader.Word(3, ConstantTable.MRemap), reader.Has(4) ? reader.Number(4) : null),
        "mprotect" or "pkey_mprotect" => new MProtectArguments(
            reader.Number(0), reader.Number(1), reader.Word(2, ConstantTable.Protection),
            name == "mprotect" ? null : reader.Int32(3)),
        "madvise" => new MAdviseArguments(
            reader.Number(0), reader.Number(1), reader.Word(2, ConstantTable.Advice)),
        "process_madvise" => new ProcessMAdviseArguments(
            reader.Descriptor(0), DecodeRanges(ref reader, 1),
            reader.Word(3, ConstantTable.Advice)),
        "mlock" => new MLockArguments(reader.Number(0), reader.Number(1), null),
        "mlock2" => new MLockArguments(
            reader.Number(0), reader.Number(1), reader.Word(2, ConstantTable.MLock)),
        "munlock" => new MUnlockArguments(reader.Number(0), reader.Number(1)),
        "mlockall" => new MLockAllArguments(reader.Word(0, ConstantTable.MLock)),
        "munlockall" => new MUnlockAllArguments(),
        "mbind" => new MBindArguments(
            reader.Number(0), reader.Number(1), reader.Word(2, ConstantTable.Policy),
            reader.Text(3).ToString(), reader.Word(5, ConstantTable.Policy)),
        "set_mempolicy" => new SetMemPolicyArguments(
            reader.Word(0, ConstantTable.Policy), reader.Text(1).ToString()),
        "remap_file_pages" => new RemapFilePagesArguments(
            reader.Number(0), reader.Number(1), reader.Word(2, ConstantTable.Protection),
            reader.Number(3), reader.Word(4, ConstantTable.MMap)),
        _ => new BrkArguments(reader.Number(0)),
    };

    private static MMapArguments DecodeMap(string name, ref ArgumentReader reader)
    {
        if (reader.Count == 1)
        {
            reader.Miss(0, "the arguments, not the address of a structure with them");
        }

        // strace prints the offset of mmap2 in bytes, but raw it is in pages. Raw lengths are
        // hexadecimal, others decimal.
        bool isRaw = reader.Text(1).StartsWith("0x") || reader.Text(0).SequenceEqual("0");
        ulong unit = name == "mmap2" && isRaw ? OffsetUnit : 1;
        return new MMapArguments(
            reader.Number(0), reader.Number(1), reader.Word(2, ConstantTable.Protection),
            reader.Word(3, ConstantTable.MMap), reader.Descriptor(4),
            unchecked(reader.Number(5) * unit));
    }

    /// <summary>Reads <c>[{iov_base=0x7f0000000000, iov_len=4096}, ...]</c>.</summary>
    private static ImmutableArray<MemoryRange> DecodeRanges(ref ArgumentReader reader, int index)
    {
        ReadOnlySpan<char> list = reader.Text(index);
        if (list.Length < 2 || list[0] != '[' || list[^1] != ']')
        {
            _ = reader.Number(index);
            return default;
        }

        ImmutableArray<MemoryRange>.Builder ranges = ImmutableArray.CreateBuilder<MemoryRange>();
        ReadOnlySpan<char> inside = list[1..^1];
        int start = 0;
        while (start < inside.Length)
        {
            int end = Nesting.NextSeparator(inside, start);
            if (end < 0)
            {
                reader.Miss(index, "a list of ranges");
                return default;
            }

            var range = new StructText(inside[start..end].Trim(' '));
            ranges.Add(new MemoryRange(
                reader.Field(range, "iov_base", index), reader.Field(range, "iov_len", index)));
            start = end + 1;
        }

        return ranges.ToImmutable();
    }
}
