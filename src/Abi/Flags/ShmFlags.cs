using System.Text;

namespace ShmCheck.Abi;

/// <summary>The flag word of shmget(2): creation flags, huge-page size and mode bits share
/// one word (include/uapi/linux/shm.h, ipc.h).</summary>
/// <param name="Raw">The word as passed to the kernel.</param>
public readonly record struct ShmGetFlags(int Raw)
{
    /// <summary>Create the segment if the key is unused.</summary>
    public const int IPC_CREAT = 0x200;
    /// <summary>With IPC_CREAT: fail if the key is in use.</summary>
    public const int IPC_EXCL = 0x400;
    /// <summary>Back the segment with huge pages.</summary>
    public const int SHM_HUGETLB = 0x800;
    /// <summary>Promise nothing: no commit charge, no huge-page reservation.</summary>
    public const int SHM_NORESERVE = 0x1000;
    /// <summary>Position of the log2 of the huge page size.</summary>
    public const int SHM_HUGE_SHIFT = 26;
    /// <summary>Width mask of the log2 of the huge page size.</summary>
    public const int SHM_HUGE_MASK = 0x3f;
    /// <summary>The nine permission bits.</summary>
    public const int ModeMask = 0x1ff;

    /// <summary>Permission bits.</summary>
    public int Mode => Raw & ModeMask;
    /// <summary>IPC_CREAT is set.</summary>
    public bool Create => (Raw & IPC_CREAT) != 0;
    /// <summary>IPC_EXCL is set.</summary>
    public bool Exclusive => (Raw & IPC_EXCL) != 0;
    /// <summary>SHM_HUGETLB is set.</summary>
    public bool HugeTlb => (Raw & SHM_HUGETLB) != 0;
    /// <summary>SHM_NORESERVE is set.</summary>
    public bool NoReserve => (Raw & SHM_NORESERVE) != 0;
    /// <summary>Log2 of the wanted huge page size in bytes; 0 asks for the default size.</summary>
    public int HugeSizeLog2 => (Raw >> SHM_HUGE_SHIFT) & SHM_HUGE_MASK;

    /// <summary>The word with a huge page size of 2^<paramref name="log2"/> bytes asked for.
    /// </summary>
    public ShmGetFlags WithHugeSize(int log2) =>
        new((Raw & ~(SHM_HUGE_MASK << SHM_HUGE_SHIFT)) | (log2 << SHM_HUGE_SHIFT));

    /// <summary>As strace prints it: names, unknown bits, huge size, then the mode in octal.
    /// </summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        int rest = Raw & ~ModeMask & ~(SHM_HUGE_MASK << SHM_HUGE_SHIFT);
        FlagText.Append(text, ref rest, IPC_CREAT, nameof(IPC_CREAT));
        FlagText.Append(text, ref rest, IPC_EXCL, nameof(IPC_EXCL));
        FlagText.Append(text, ref rest, SHM_HUGETLB, nameof(SHM_HUGETLB));
        FlagText.Append(text, ref rest, SHM_NORESERVE, nameof(SHM_NORESERVE));
        FlagText.AppendRest(text, rest);
        if (HugeSizeLog2 != 0)
        {
            FlagText.Separate(text);
            text.Append(HugeSizeLog2).Append("<<SHM_HUGE_SHIFT");
        }

        FlagText.Separate(text);
        return text.Append(FlagText.Octal(Mode)).ToString();
    }
}

/// <summary>The flag word of shmat(2).</summary>
/// <param name="Raw">The word as passed to the kernel.</param>
public readonly record struct ShmAtFlags(int Raw)
{
    /// <summary>Attach for reading only.</summary>
    public const int SHM_RDONLY = 0x1000;
    /// <summary>Round the address down to SHMLBA.</summary>
    public const int SHM_RND = 0x2000;
    /// <summary>Replace what is mapped there.</summary>
    public const int SHM_REMAP = 0x4000;
    /// <summary>Allow execution.</summary>
    public const int SHM_EXEC = 0x8000;

    /// <summary>SHM_RDONLY is set.</summary>
    public bool ReadOnly => (Raw & SHM_RDONLY) != 0;
    /// <summary>SHM_RND is set.</summary>
    public bool Round => (Raw & SHM_RND) != 0;
    /// <summary>SHM_REMAP is set.</summary>
    public bool Remap => (Raw & SHM_REMAP) != 0;
    /// <summary>SHM_EXEC is set.</summary>
    public bool Execute => (Raw & SHM_EXEC) != 0;

    /// <summary>As strace prints it.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        int rest = Raw;
        FlagText.Append(text, ref rest, SHM_RDONLY, nameof(SHM_RDONLY));
        FlagText.Append(text, ref rest, SHM_RND, nameof(SHM_RND));
        FlagText.Append(text, ref rest, SHM_REMAP, nameof(SHM_REMAP));
        FlagText.Append(text, ref rest, SHM_EXEC, nameof(SHM_EXEC));
        FlagText.AppendRest(text, rest);
        return text.Length == 0 ? "0" : text.ToString();
    }
}

/// <summary>Bits of <c>shm_perm.mode</c> above the permission bits.</summary>
public static class SegmentMode
{
    /// <summary>The segment is marked for destruction at its last detach.</summary>
    public const int SHM_DEST = 0x200;
    /// <summary>The segment is locked into memory by SHM_LOCK.</summary>
    public const int SHM_LOCKED = 0x400;
}

/// <summary>Prints flag words the way strace does.</summary>
internal static class FlagText
{
    public static void Append(StringBuilder text, ref int rest, int bit, string name)
    {
        if ((rest & bit) != bit)
        {
            return;
        }

        Separate(text);
        text.Append(name);
        rest &= ~bit;
    }

    public static void AppendRest(StringBuilder text, int rest)
    {
        if (rest == 0)
        {
            return;
        }

        Separate(text);
        text.Append("0x").Append(((uint)rest).ToString("x"));
    }

    public static void Separate(StringBuilder text)
    {
        if (text.Length > 0)
        {
            text.Append('|');
        }
    }

    public static string Octal(int value) => Convert.ToString(value, 8).PadLeft(3, '0') is var t
        && t[0] == '0' ? t : "0" + t;
}
