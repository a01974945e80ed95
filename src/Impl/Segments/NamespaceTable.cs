using System.Diagnostics;
using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>The IPC namespaces, one row each, linked by ascending number (ipc/namespace.c).
/// One lives while a task is in it or a segment of it is mapped.</summary>
internal sealed class NamespaceTable : Table<NamespaceRow>
{
    /// <summary>Namespaces at a time (max_ipc_namespaces).</summary>
    public const int Limit = 32767;

    private const ulong DefaultSegments = 4096;
    private readonly Scalar _last;
    private readonly Scalar _made;

    public NamespaceTable(StateStore store)
        : base(store)
    {
        _last = store.NewScalar();
        _made = store.NewScalar();
    }

    /// <summary>The namespace with the lowest number, 0 if none.</summary>
    public int First => this[0].Next;

    /// <summary>The namespace that the machine started with, 0 if it has gone.</summary>
    public int Initial => First != 0 && this[First].Number == 0 ? First : 0;

    /// <summary>Whether one more can be had.</summary>
    public bool HasRoom => Count < Limit;

    /// <summary>Makes an empty namespace with the default limits and nobody in it.</summary>
    public int Add()
    {
        Debug.Assert(HasRoom, "too many namespaces");
        int ns = Take();
        int last = (int)_last.Value;
        Change(ns) = new NamespaceRow
        {
            Number = (int)_made.Value++,
            MaxSize = MachineConfig.DefaultShmLimit,
            MaxPages = MachineConfig.DefaultShmLimit,
            MaxSegments = DefaultSegments,
            Previous = last,
        };
        Change(last).Next = ns;
        _last.Value = (ulong)ns;
        return ns;
    }

    public void Remove(int ns)
    {
        int next = this[ns].Next;
        int previous = this[ns].Previous;
        Change(previous).Next = next;
        Change(next).Previous = previous;
        if (next == 0)
        {
            _last.Value = (ulong)previous;
        }

        Give(ns);
    }
}
