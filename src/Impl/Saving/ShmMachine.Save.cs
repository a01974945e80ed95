using System.Buffers.Binary;
using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>Marks to come back to, and the whole state as bytes.</summary>
public sealed partial class ShmMachine
{
    private const ulong Magic = 0x0003_4c50_4d49_4d48;
    private const int WordBytes = sizeof(ulong);

    /// <summary>Marks the present state, to come back to it by <see cref="RollBack"/>. Marks
    /// nest.</summary>
    public void Mark() => _store.Mark();

    /// <summary>Returns to the last mark and removes it. Costs what has changed since.</summary>
    /// <exception cref="InvalidOperationException">No mark is set.</exception>
    public void RollBack()
    {
        _store.RollBack();
        ForgetCaller();
    }

    /// <summary>Removes the last mark and keeps what has changed since.</summary>
    /// <exception cref="InvalidOperationException">No mark is set.</exception>
    public void Commit() => _store.Commit();

    /// <summary>The whole state as bytes.</summary>
    public byte[] Save()
    {
        ulong[] settings = Settings(_config);
        int length = WordBytes * (3 + settings.Length);
        foreach (Column column in _store.Columns)
        {
            length += WordBytes + column.Save().Length;
        }

        byte[] saved = new byte[length];
        Span<byte> rest = saved;
        Put(ref rest, Magic);
        Put(ref rest, (ulong)settings.Length);
        foreach (ulong setting in settings)
        {
            Put(ref rest, setting);
        }

        foreach (Column column in _store.Columns)
        {
            ReadOnlySpan<byte> cells = column.Save();
            Put(ref rest, (ulong)cells.Length);
            cells.CopyTo(rest);
            rest = rest[cells.Length..];
        }

        Put(ref rest, Checksum(saved.AsSpan(..^WordBytes)));
        return saved;
    }

    /// <summary>The machine that <see cref="Save"/> wrote.</summary>
    /// <exception cref="FormatException">The bytes are not a saved state.</exception>
    public static ShmMachine Load(ReadOnlySpan<byte> saved)
    {
        if (saved.Length < 3 * WordBytes || Checksum(saved[..^WordBytes])
            != BinaryPrimitives.ReadUInt64LittleEndian(saved[^WordBytes..]))
        {
            throw new FormatException("not a saved machine, or a damaged one");
        }

        ReadOnlySpan<byte> rest = saved[..^WordBytes];
        if (Take(ref rest) != Magic)
        {
            throw new FormatException("saved by another version");
        }

        ulong[] settings = new ulong[Take(ref rest)];
        for (int i = 0; i < settings.Length; i++)
        {
            settings[i] = Take(ref rest);
        }

        var machine = new ShmMachine(ConfigOf(settings));
        foreach (Column column in machine._store.Columns)
        {
            int length = (int)Take(ref rest);
            if (length > rest.Length || !column.TryLoad(rest[..length]))
            {
                throw new FormatException("the columns do not add up");
            }

            rest = rest[length..];
        }

        return machine;
    }

    private static ulong[] Settings(MachineConfig config) =>
    [
        (ulong)config.Profile, config.PageSize, config.Frames, config.HugePages,
        config.HugePageSize, config.SwapSlots, (ulong)config.SwapKind, config.ShmMax,
        config.ShmAll, (ulong)config.ShmMni, config.ShmRmidForced ? 1u : 0u,
        (ulong)config.Overcommit, (ulong)config.OvercommitRatio, config.NrOvercommitHugePages,
        (ulong)config.HugetlbShmGroup, .. config.OtherHugePageSizes,
    ];

    private static MachineConfig ConfigOf(ulong[] settings) => new()
    {
        Profile = (KernelProfile)settings[0],
        PageSize = settings[1],
        Frames = settings[2],
        HugePages = settings[3],
        HugePageSize = settings[4],
        SwapSlots = settings[5],
        SwapKind = (SwapKind)settings[6],
        ShmMax = settings[7],
        ShmAll = settings[8],
        ShmMni = (int)settings[9],
        ShmRmidForced = settings[10] != 0,
        Overcommit = (OvercommitMode)settings[11],
        OvercommitRatio = (int)settings[12],
        NrOvercommitHugePages = settings[13],
        HugetlbShmGroup = (int)settings[14],
        OtherHugePageSizes = [.. settings.AsSpan(15)],
    };

    private static void Put(ref Span<byte> rest, ulong word)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(rest, word);
        rest = rest[WordBytes..];
    }

    private static ulong Take(ref ReadOnlySpan<byte> rest)
    {
        if (rest.Length < WordBytes)
        {
            throw new FormatException("the saved machine ends too early");
        }

        ulong word = BinaryPrimitives.ReadUInt64LittleEndian(rest);
        rest = rest[WordBytes..];
        return word;
    }

    private static ulong Checksum(ReadOnlySpan<byte> bytes)
    {
        ulong sum = 14695981039346656037;
        for (; bytes.Length >= WordBytes; bytes = bytes[WordBytes..])
        {
            sum = (sum ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes)) * 1099511628211;
            sum ^= sum >> 32;
        }

        foreach (byte last in bytes)
        {
            sum = (sum ^ last) * 1099511628211;
        }

        return sum;
    }
}
