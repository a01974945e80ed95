namespace ShmCheck.Abi;

/// <summary>What a call returned. Closed: a value, an errno, a signal, or nothing any more.
/// </summary>
public abstract record Reply
{
    private Reply()
    {
    }

    /// <summary>The reply 0.</summary>
    public static Reply Zero { get; } = new Value(0);

    /// <summary>Whether the call succeeded.</summary>
    public bool Succeeded => this is Value;

    /// <summary>The reply of a failed call.</summary>
    public static Reply Of(Errno errno) => (int)errno < Error.Known.Length
        ? Error.Known[(int)errno] ??= new Error(errno) : new Error(errno);

    /// <summary>The call succeeded.</summary>
    /// <param name="Result">The value: identifier, address, pid, byte, index, or 0.</param>
    /// <param name="Data">The structure that it filled in, if any.</param>
    public sealed record Value(long Result, ReplyData? Data = null) : Reply;

    /// <summary>The call failed.</summary>
    /// <param name="Errno">Why.</param>
    public sealed record Error(Errno Errno) : Reply
    {
        internal static readonly Error?[] Known = new Error?[256];
    }

    /// <summary>The call raised a signal.</summary>
    /// <param name="Signal">Which.</param>
    public sealed record Raised(Signal Signal) : Reply
    {
        /// <summary>Bus error.</summary>
        public static Raised Sigbus { get; } = new(Signal.SIGBUS);

        /// <summary>Segmentation violation.</summary>
        public static Raised Sigsegv { get; } = new(Signal.SIGSEGV);
    }

    /// <summary>No reply came: the process died or hangs, or the system is gone.</summary>
    /// <param name="Reason">What is known of it.</param>
    public sealed record Lost(string Reason) : Reply;
}

/// <summary>A structure that a call fills in.</summary>
public abstract record ReplyData
{
    private protected ReplyData()
    {
    }
}

/// <summary>When something happened, in seconds of the system's clock: a point when a system
/// reports it, a span when the specification says what is admitted.</summary>
/// <param name="Earliest">Not before.</param>
/// <param name="Latest">Not after.</param>
public readonly record struct Stamp(long Earliest, long Latest)
{
    /// <summary>Never: the stamp is 0.</summary>
    public static Stamp Never => default;

    /// <summary>A reported stamp.</summary>
    public static Stamp At(long seconds) => new(seconds, seconds);

    /// <summary>Whether a reported stamp lies within this span.</summary>
    public bool Admits(Stamp reported) =>
        Earliest <= reported.Earliest && reported.Latest <= Latest;

    /// <inheritdoc/>
    public override string ToString() =>
        Earliest == Latest ? $"{Earliest}" : $"{Earliest}..{Latest}";
}

/// <summary><c>struct shmid_ds</c>, as IPC_STAT, SHM_STAT and SHM_STAT_ANY fill it in.</summary>
/// <param name="Key"><c>shm_perm.key</c>; 0 once the segment is marked for destruction.</param>
/// <param name="Uid">Owner.</param>
/// <param name="Gid">Owner's group.</param>
/// <param name="Cuid">Creator.</param>
/// <param name="Cgid">Creator's group.</param>
/// <param name="Mode">Permission bits, SHM_DEST, SHM_LOCKED.</param>
/// <param name="SegmentSize"><c>shm_segsz</c> in bytes, as asked for at creation.</param>
/// <param name="CreatorPid"><c>shm_cpid</c>.</param>
/// <param name="LastPid"><c>shm_lpid</c>, 0 if never attached.</param>
/// <param name="Attaches"><c>shm_nattch</c>.</param>
/// <param name="AttachTime"><c>shm_atime</c>.</param>
/// <param name="DetachTime"><c>shm_dtime</c>.</param>
/// <param name="ChangeTime"><c>shm_ctime</c>.</param>
public sealed record SegmentStat(
    int Key, int Uid, int Gid, int Cuid, int Cgid, int Mode, ulong SegmentSize, int CreatorPid,
    int LastPid, ulong Attaches, Stamp AttachTime, Stamp DetachTime, Stamp ChangeTime) : ReplyData;

/// <summary><c>struct shm_info</c>, as SHM_INFO fills it in; all in base pages but the first.
/// </summary>
/// <param name="UsedIds">Segments that exist.</param>
/// <param name="Total"><c>shm_tot</c>: pages of all segments.</param>
/// <param name="Resident"><c>shm_rss</c>: those in memory.</param>
/// <param name="Swapped"><c>shm_swp</c>: those in swap.</param>
public sealed record ShmTotals(ulong UsedIds, ulong Total, ulong Resident, ulong Swapped)
    : ReplyData;

/// <summary><c>struct shminfo</c>, as IPC_INFO fills it in.</summary>
/// <param name="Max">shmmax in bytes.</param>
/// <param name="Min">shmmin in bytes, always 1.</param>
/// <param name="Mni">shmmni.</param>
/// <param name="Seg">shmseg, reported equal to shmmni and not enforced.</param>
/// <param name="All">shmall in base pages.</param>
public sealed record ShmLimits(ulong Max, ulong Min, ulong Mni, ulong Seg, ulong All) : ReplyData;
