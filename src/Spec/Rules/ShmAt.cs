using ShmCheck.Abi;
using static ShmCheck.Abi.Errno;

namespace ShmCheck.Spec;

/// <summary>shmat(2) and shmdt(2).</summary>
internal static class ShmAt
{
    public static readonly RuleFamily Family = new("shmat");

    private sealed record Request(Run Run, ShmAtFlags Flags, int Id, ulong Given)
    {
        public ulong Address => Flags.Round ? Given - (Given % Run.PageSize) : Given;
        public Segment? Segment => Run.FindSegment(Id);

        public int Asked => Permissions.Read | (Flags.ReadOnly ? 0 : Permissions.Write)
            | (Flags.Execute ? Permissions.Execute : 0);
    }

    private static readonly Guard<Request>[] BeforeAttach =
    [
        Family.Fails<Request>(EINVAL, "shmat.einval.negative-id", r => r.Id < 0,
            "The identifier is negative.", "ipc/shm.c:do_shmat"),
        Family.Fails<Request>(EINVAL, "shmat.einval.unaligned",
            r => !r.Run.IsAligned(r.Given) && !r.Flags.Round,
            "The address is not a multiple of SHMLBA, and SHM_RND is not given.",
            "ipc/shm.c:do_shmat; shmat(2)"),
        Family.Fails<Request>(EINVAL, "shmat.einval.remap-null",
            r => r.Flags.Remap && r.Address == 0,
            "SHM_REMAP with the address NULL, or one that SHM_RND rounds to NULL.",
            "ipc/shm.c:do_shmat; shmat(2)"),
        Family.Fails<Request>(EINVAL, "shmat.einval.id", r => r.Segment is null,
            "No segment has the identifier; one with another sequence number does not.",
            "ipc/util.c:ipc_obtain_object_check; shmat(2)"),
        Family.Fails<Request>(EACCES, "shmat.eacces.mode",
            r => !Permissions.Grants(r.Run.Who, r.Segment!, r.Asked),
            "The mode does not grant reading, writing unless SHM_RDONLY is given, and execution if "
                + "SHM_EXEC is.",
            "ipc/shm.c:do_shmat; shmat(2)"),
    ];

    private static readonly Guard<Request>[] DuringAttach =
    [
        new(Machine.FailBookkeeping, r => r.Run.Lacks(AllocationKind.Bookkeeping)),
        Family.Fails<Request>(EINVAL, "shmat.einval.wrap",
            r => r.Address != 0 && !r.Flags.Remap
                && unchecked(r.Address + r.Segment!.Object.Length) < r.Address,
            "Address and length of the segment together overflow.",
            "ipc/shm.c:do_shmat"),
        Family.Fails<Request>(EINVAL, "shmat.einval.occupied",
            r => r.Address != 0 && !r.Flags.Remap
                && r.Run.Space.IsMapped(r.Address, r.Address + r.Segment!.Object.Length),
            "Something is mapped in the range, and SHM_REMAP is not given. The range at address 0 "
                + "is not looked at: what is there is replaced.",
            "ipc/shm.c:do_shmat; shmat(2)"),
        Family.Fails<Request>(EINVAL, "shmat.einval.empty",
            r => r.Segment!.Object.Length == 0,
            "A segment of huge pages whose size rounded up to them overflows to 0 cannot be "
                + "attached.",
            "mm/mmap.c:do_mmap"),
    ];

    private static readonly Rule Attached = Family.Effect("shmat.ok.attach",
        "Maps the object of the segment, in whole pages: a new attach. No page is allocated, no "
            + "figure of the segment but shm_nattch, shm_atime and shm_lpid changes.",
        "ipc/shm.c:do_shmat; shmat(2)");

    private static readonly Rule Replaced = Family.Effect("shmat.ok.remap",
        "SHM_REMAP unmaps what is in the range, which may be an attach of the same segment; the "
            + "call itself holds the segment meanwhile.",
        "ipc/shm.c:do_shmat; shmat(2)");

    private static readonly Rule Rounded = Family.Effect("shmat.ok.round",
        "SHM_RND rounds the address down to a multiple of the base page size, also for huge pages.",
        "ipc/shm.c:do_shmat; shmat(2)");

    private static readonly Rule FailedAttach = Family.Effect("shmat.failed.test",
        "A shmat that fails after its permission test leaves no trace in shm_atime and shm_lpid, "
            + "but tests the segment for destruction.",
        "ipc/shm.c:do_shmat");

    private static readonly Guard<(Run Run, ulong Address)>[] DetachArguments =
    [
        Family.Fails<(Run Run, ulong Address)>(EINVAL, "shmdt.einval.unaligned",
            r => !r.Run.IsAligned(r.Address),
            "The address is not a multiple of the page size.",
            "ipc/shm.c:ksys_shmdt; shmdt(2)"),
        Family.Fails<(Run Run, ulong Address)>(EINVAL, "shmdt.einval.no-attach",
            r => FirstFragment(r.Run, r.Address) is null,
            "No mapping of a segment lies as far above the address as its first page lies above "
                + "the first page of the segment.",
            "ipc/shm.c:ksys_shmdt; shmdt(2)"),
    ];

    private static readonly Rule Detached = Family.Effect("shmdt.ok.detach",
        "Unmaps the first such mapping.", "ipc/shm.c:ksys_shmdt");

    private static readonly Rule OtherFragment = Family.Effect("shmdt.ok.fragment",
        "Unmaps the further mappings of the same attach that lie at their place and end within "
            + "the length of the segment; other mappings in between stay.",
        "ipc/shm.c:ksys_shmdt");

    public static StepResult Execute(Run run, Abi.ShmAt call)
    {
        var request = new Request(
            run, call.Flags, run.Resolve(call.Segment), run.Resolve(call.Address));
        if (run.Check(BeforeAttach, request) is { } refusal)
        {
            return run.Fails(refusal);
        }

        Segment held = request.Segment!;
        run.Put(held with { Attaches = held.Attaches + 1 });
        Rule? failure = run.Check(DuringAttach, request);
        ulong address = request.Address;
        failure ??= Map(run, request, ref address);
        if (failure is not null)
        {
            run.Fire(FailedAttach);
        }

        Segment released = run.State.Segments[held.Location.Value];
        Lifetime.Test(run, released with { Attaches = released.Attaches - 1 });
        return failure is null ? run.Returns(Attached, (long)address) : run.Fails(failure);
    }

    public static StepResult Execute(Run run, ShmDt call)
    {
        ulong address = run.Resolve(call.Address);
        if (run.Check(DetachArguments, (run, address)) is { } failure)
        {
            return run.Fails(failure);
        }

        Mapping first = FirstFragment(run, address)!;
        ulong length = run.Up(run.SegmentOf(first).Object.Length);
        Mappings.Remove(run, first.Start, first.End);
        foreach (Mapping mapping in run.Space.Mappings.Rows
            .SkipWhile(mapping => mapping.Start < first.End)
            .TakeWhile(mapping => mapping.End - address <= length))
        {
            if (mapping.File == first.File && IsFragmentOf(run, mapping, address))
            {
                run.Fire(OtherFragment);
                Mappings.Remove(run, mapping.Start, mapping.End);
            }
        }

        return run.Returns(Detached);
    }

    private static Rule? Map(Run run, Request request, ref ulong address)
    {
        MemoryObject holder = request.Segment!.Object;
        ulong length = Run.Up(holder.Length, run.PageSize);
        bool exact = request.Given != 0;
        Rule? failure = MMap.Choose(
            run, ref address, length, holder.PageSize, exact, lowestHint: 0);
        if (failure is not null)
        {
            return failure;
        }

        if (!MMap.MayLock(run, run.Space.LockFuture, length))
        {
            return MMap.LockLimit;
        }

        if (!run.IsAligned(request.Given))
        {
            run.Fire(Rounded);
        }

        if (request.Flags.Remap)
        {
            run.Fire(Replaced);
        }

        return MMap.Replace(run, NewMapping(run, request, address, length));
    }

    private static Mapping NewMapping(Run run, Request request, ulong address, ulong length)
    {
        ulong file = run.State.NextFile;
        run.State = run.State with { NextFile = file + 1 };
        return new Mapping
        {
            Start = address,
            End = address + length,
            PageSize = request.Segment!.Object.PageSize,
            IsHuge = request.Segment.Object.IsHuge,
            Segment = request.Segment.Location,
            File = file,
            Flags = MappingFlags.Shared | MappingFlags.Read
                | (request.Flags.ReadOnly ? 0 : MappingFlags.Write | MappingFlags.MayWrite)
                | (request.Flags.Execute ? MappingFlags.Execute : 0)
                | (run.Space.LockFuture ? MappingFlags.Locked : 0),
        };
    }

    private static bool IsFragmentOf(Run run, Mapping mapping, ulong address) =>
        mapping.Segment is not null
        && unchecked(mapping.Start - address) / run.PageSize == mapping.Offset;

    private static Mapping? FirstFragment(Run run, ulong address) =>
        run.Space.Mappings.Rows.FirstOrDefault(mapping =>
            mapping.End > address && IsFragmentOf(run, mapping, address));
}
