namespace ShmCheck.Harness.Oracle;

/// <summary>Figures of a segment that the log has not determined yet. The next observation
/// determines them.</summary>
[Flags]
internal enum Unknown
{
    /// <summary>All is known.</summary>
    None = 0,
    /// <summary>shm_segsz.</summary>
    Size = 1,
    /// <summary>The key.</summary>
    Key = 2,
    /// <summary>Owner and its group.</summary>
    Owner = 4,
    /// <summary>The nine permission bits.</summary>
    Mode = 8,
    /// <summary>Creator and its group.</summary>
    Creator = 0x10,
    /// <summary>shm_cpid.</summary>
    CreatorPid = 0x20,
    /// <summary>shm_lpid.</summary>
    LastPid = 0x40,
    /// <summary>shm_nattch, beyond the attaches that the log shows.</summary>
    Attaches = 0x80,
    /// <summary>shm_atime.</summary>
    AttachTime = 0x100,
    /// <summary>shm_dtime.</summary>
    DetachTime = 0x200,
    /// <summary>shm_ctime.</summary>
    ChangeTime = 0x400,
    /// <summary>SHM_LOCKED.</summary>
    Locked = 0x800,
    /// <summary>SHM_DEST.</summary>
    Destroyed = 0x1000,
    /// <summary>What calls on a segment change, but its existence.</summary>
    Changing = Owner | Mode | LastPid | Attaches | AttachTime | DetachTime | ChangeTime | Locked
        | Destroyed | Key,
    /// <summary>Everything.</summary>
    All = Changing | Size | Creator | CreatorPid,
}
