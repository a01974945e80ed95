namespace ShmCheck.Impl;

/// <summary>One thread, with its credentials.</summary>
internal struct TaskRow
{
    public ulong Effective;
    public ulong Permitted;

    /// <summary>Its number, 0 in a row that is not in use.</summary>
    public int Tid;

    public int Group;

    /// <summary>The IPC namespace it is in (<see cref="NamespaceTable"/>).</summary>
    public int Namespace;

    public int NextInGroup;
    public int PreviousInGroup;
    public int Uid;
    public int Euid;
    public int Suid;
    public int Gid;
    public int Egid;
    public int Sgid;

    /// <summary>Supplementary groups (<see cref="GroupSets"/>).</summary>
    public int GroupSet;

    /// <summary>First of the segments it created, linked by
    /// <see cref="SegmentRow.NextCreated"/>.</summary>
    public int FirstCreated;

    /// <summary>The child that a vfork waits for, 0 if none.</summary>
    public int VForkChild;

    /// <summary>The parent that waits for this task, 0 if none.</summary>
    public int VForkParent;

    public byte KeepsCaps;
}
