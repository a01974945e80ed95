using System.Diagnostics;
using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>The IPC namespaces, one row each, linked by ascending number (ipc/namespace.c).
/// One lives while a task is in it or a segment of it is mapped.</summary>
internal sealed class NamespaceTable
{
    /// <summary>Namespaces at a time (max_ipc_namespaces).</summary>
    public const int Limit = 32767;

    private const ulong DefaultSegments = 4096;
    private readonly Rows _rows;
    private readonly Scalar _last;
    private readonly Scalar _made;

    public NamespaceTable(StateStore store)
    {
        _rows = new Rows(store);
        _last = store.NewScalar();
        _made = store.NewScalar();
        Number = store.NewColumn<int>();
        Tasks = store.NewColumn<int>();
        Mappings = store.NewColumn<ulong>();
        TotalPages = store.NewColumn<ulong>();
        ResidentPages = store.NewColumn<ulong>();
        SwappedPages = store.NewColumn<ulong>();
        MaxSize = store.NewColumn<ulong>();
        MaxPages = store.NewColumn<ulong>();
        MaxSegments = store.NewColumn<ulong>();
        DestroysOrphans = store.NewColumn<byte>();
        Next = store.NewColumn<int>();
        Previous = store.NewColumn<int>();
    }

    /// <summary>0 for the namespace that the machine started with, and never used again.
    /// </summary>
    public Column<int> Number { get; }

    /// <summary>Tasks in the namespace.</summary>
    public Column<int> Tasks { get; }

    /// <summary>Mappings of its segments, in whatever process.</summary>
    public Column<ulong> Mappings { get; }

    /// <summary>shm_tot in base pages.</summary>
    public Column<ulong> TotalPages { get; }

    /// <summary>shm_rss in base pages.</summary>
    public Column<ulong> ResidentPages { get; }

    /// <summary>shm_swp in base pages.</summary>
    public Column<ulong> SwappedPages { get; }

    /// <summary>kernel.shmmax in bytes.</summary>
    public Column<ulong> MaxSize { get; }

    /// <summary>kernel.shmall in base pages.</summary>
    public Column<ulong> MaxPages { get; }

    /// <summary>kernel.shmmni.</summary>
    public Column<ulong> MaxSegments { get; }

    /// <summary>kernel.shm_rmid_forced.</summary>
    public Column<byte> DestroysOrphans { get; }

    /// <summary>The namespace with the next higher number, 0 if none.</summary>
    public Column<int> Next { get; }

    public Column<int> Previous { get; }

    public int Count => _rows.Count;

    /// <summary>The namespace with the lowest number, 0 if none.</summary>
    public int First => Next[0];

    /// <summary>The namespace that the machine started with, 0 if it has gone.</summary>
    public int Initial => First != 0 && Number[First] == 0 ? First : 0;

    /// <summary>Whether one more can be had.</summary>
    public bool HasRoom => Count < Limit;

    /// <summary>Makes an empty namespace with the default limits and nobody in it.</summary>
    public int Add()
    {
        Debug.Assert(HasRoom, "too many namespaces");
        int ns = _rows.Take();
        int last = (int)_last.Value;
        Number[ns] = (int)_made.Value++;
        Tasks[ns] = 0;
        Mappings[ns] = 0;
        TotalPages[ns] = 0;
        ResidentPages[ns] = 0;
        SwappedPages[ns] = 0;
        MaxSize[ns] = MachineConfig.DefaultShmLimit;
        MaxPages[ns] = MachineConfig.DefaultShmLimit;
        MaxSegments[ns] = DefaultSegments;
        DestroysOrphans[ns] = 0;
        Next[ns] = 0;
        Previous[ns] = last;
        Next[last] = ns;
        _last.Value = (ulong)ns;
        return ns;
    }

    public void Remove(int ns)
    {
        int next = Next[ns];
        int previous = Previous[ns];
        Next[previous] = next;
        Previous[next] = previous;
        if (next == 0)
        {
            _last.Value = (ulong)previous;
        }

        _rows.Give(ns);
    }
}
