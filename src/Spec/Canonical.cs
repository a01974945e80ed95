using System.Buffers;
using System.Buffers.Binary;
using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>Writes a state as bytes that are equal for equal states.</summary>
internal sealed class Canonical
{
    private readonly IBufferWriter<byte> _bytes;
    private readonly List<ulong> _spaces = [];
    private readonly List<ulong> _files = [0];
    private readonly List<ulong> _histories = [0];

    private Canonical(IBufferWriter<byte> bytes) => _bytes = bytes;

    public static void Write(SpecState state, IBufferWriter<byte> bytes)
    {
        var writer = new Canonical(bytes);
        writer.Machine(state);
        writer.All(state.Namespaces, writer.Namespace);
        writer.All(state.Segments, writer.Segment);
        writer.All(state.Groups, group => writer.Put(
            (ulong)group.Tgid, group.MemLock, group.AddressSpaceLimit));
        writer.All(state.Tasks, writer.Task);
        foreach (ulong space in writer._spaces)
        {
            writer.Space(state.Spaces[space]);
        }
    }

    private void Machine(SpecState state)
    {
        MachineConfig config = state.Config;
        Put((ulong)config.Profile, config.PageSize, config.TotalPages, config.HugePageSize,
            config.SwapSlots, (ulong)config.SwapKind);
        Put((ulong)config.OtherHugePageSizes.Length);
        foreach (ulong size in config.OtherHugePageSizes)
        {
            Put(size);
        }

        Put(state.Pool.Total, state.Pool.Free, state.Pool.Reserved, state.Pool.Surplus);
        Put(state.FramesUsed, state.SwapCached, state.SlotsUsed, state.Committed);
        Put(Bit(state.SwapInUse), state.NrOvercommitHugePages, (ulong)state.HugetlbShmGroup,
            (ulong)state.Overcommit, (ulong)state.OvercommitRatio, (ulong)state.LastPid,
            (ulong)state.NextNamespace);
        Put((ulong)state.LockedByUser.Count);
        foreach ((ulong user, ulong pages) in state.LockedByUser.Between(0, ulong.MaxValue))
        {
            Put(user, pages);
        }
    }

    private void Namespace(IpcNamespace ns)
    {
        Put((ulong)ns.Number, ns.ShmMax, ns.ShmAll, (ulong)ns.ShmMni, Bit(ns.RmidForced));
        Put((ulong)ns.NextId, (ulong)ns.Sequence, (ulong)ns.Cursor, (ulong)ns.LastIndex,
            (ulong)ns.InUse, ns.Total);
    }

    private void Segment(Segment segment)
    {
        Put((ulong)segment.Namespace, (ulong)segment.Id.Value, (ulong)segment.Key,
            (ulong)segment.Uid, (ulong)segment.Gid, (ulong)segment.Cuid, (ulong)segment.Cgid);
        Put((ulong)segment.ShownMode, segment.Size, (ulong)segment.CreatorPid,
            (ulong)segment.LastPid, (ulong)segment.Creator, segment.Attaches);
        Put(segment.AttachTime);
        Put(segment.DetachTime);
        Put(segment.ChangeTime);
        Put(Bit(segment.LockedBy is not null), (ulong)(segment.LockedBy ?? 0));
        MemoryObject holder = segment.Object;
        Put(holder.Length, holder.PageSize, Bit(holder.IsHuge), Bit(holder.Promised),
            holder.Resident, holder.Swapped, holder.Charged);
        Pages(holder.Pages, page =>
            ((ulong)page.Mappers << 8) | ((ulong)page.State << 1) | Bit(page.Marked));
        Pages(holder.Contents, value => value);
    }

    private void Task(KernelTask task)
    {
        Credentials who = task.Credentials;
        Put((ulong)task.Tid, (ulong)task.Tgid, Number(_spaces, task.Space),
            (ulong)task.Namespace, (ulong)task.WaitsFor);
        Put((ulong)who.Uid, (ulong)who.Euid, (ulong)who.Suid, (ulong)who.Gid, (ulong)who.Egid,
            (ulong)who.Sgid, (ulong)who.Permitted, (ulong)who.Effective, Bit(who.KeepCaps));
        Put((ulong)who.Groups.Length);
        foreach (int group in who.Groups)
        {
            Put((ulong)group);
        }
    }

    private void Space(AddressSpace space)
    {
        Put(space.TotalPages, space.LockedPages, space.ShmemPages, space.HugetlbPages,
            Bit(space.LockFuture));
        All(space.Mappings, mapping =>
        {
            Put(mapping.Start, mapping.End, mapping.PageSize, mapping.Offset,
                (ulong)mapping.Flags, (ulong)mapping.Policy, Bit(mapping.IsHuge));
            Put(Bit(mapping.Segment is not null), mapping.Segment?.Value ?? 0,
                Number(_files, mapping.File), Number(_histories, mapping.Anon),
                Bit(mapping.Forked));
        });
        Pages(space.Pages, entry => Bit(entry.Dirty));
        Pages(space.Contents, value => value);
    }

    private void All<T>(Table<T> table, Action<T> write)
    {
        Put((ulong)table.Count);
        foreach (T row in table.Rows)
        {
            write(row);
        }
    }

    private void Pages<T>(PageMap<T> pages, Func<T, ulong> value)
    {
        Put((ulong)pages.Count);
        foreach ((ulong page, T row) in pages.All)
        {
            Put(page, value(row));
        }
    }

    private void Put(Stamp stamp) => Put((ulong)stamp.Earliest, (ulong)stamp.Latest);

    private void Put(params ReadOnlySpan<ulong> values)
    {
        Span<byte> span = _bytes.GetSpan(values.Length * sizeof(ulong));
        for (int index = 0; index < values.Length; index++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(
                span[(index * sizeof(ulong))..], values[index]);
        }

        _bytes.Advance(values.Length * sizeof(ulong));
    }

    private static ulong Bit(bool value) => value ? 1ul : 0;

    /// <summary>The number of something by the order in which it comes up.</summary>
    private static ulong Number(List<ulong> known, ulong name)
    {
        int index = known.IndexOf(name);
        if (index < 0)
        {
            index = known.Count;
            known.Add(name);
        }

        return (ulong)index;
    }
}
