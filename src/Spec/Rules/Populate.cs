using static ShmCheck.Abi.Errno;

namespace ShmCheck.Spec;

/// <summary>Faulting in a range because it is locked (mm/gup.c:__mm_populate).</summary>
internal static class Populate
{
    public static readonly RuleFamily Family = new("populate");

    private static readonly Rule NoAccess = Family.Error(ENOMEM, "populate.enomem.no-access",
        "A locked mapping without any right cannot be faulted in (up to Linux 5.14 not even if it "
            + "is to be locked on fault). mlock answers ENOMEM, the lock stays; mlockall and "
            + "MCL_FUTURE ignore it.",
        "mm/gup.c:check_vma_flags, __mm_populate; mm/mlock.c:__mlock_posix_error_return");

    private static readonly Rule Locked = Family.Effect("populate.locked",
        "What gets locked is faulted in: mappings of segments as by reads, private writable ones "
            + "as by writes. Where a page raises SIGBUS that mapping stops there; mlock answers "
            + "ENOMEM, mlockall goes on with the next mapping, mmap, shmat and mremap succeed.",
        "mm/gup.c:populate_vma_page_range, __mm_populate");

    /// <summary>Faults in the locked mappings of a range, or those that a huge mapping would
    /// lock if it could be.</summary>
    /// <param name="run">The step.</param>
    /// <param name="start">First address.</param>
    /// <param name="end">Address behind the last.</param>
    /// <param name="stops">Whether the first failure ends it.</param>
    /// <returns>The first failure.</returns>
    public static Rule? Range(Run run, ulong start, ulong end, bool stops = false)
    {
        run.Fire(Locked);
        Rule? first = null;
        ulong at = start;
        while (at < end && run.Space.FindFrom(at) is { } mapping && mapping.Start < end)
        {
            Rule? failure = One(run, mapping, ulong.Max(at, mapping.Start), end);
            first ??= failure;
            if (failure is not null && stops)
            {
                return failure;
            }

            at = mapping.End;
        }

        return first;
    }

    /// <summary>Touches the pages of one mapping in a range, by the kernel.</summary>
    /// <returns>The rule of the first page that cannot be had.</returns>
    public static Rule? Pages(Run run, Mapping mapping, ulong start, ulong end, bool write)
    {
        ulong last = mapping.Segment is null ? start + run.PageSize : ulong.Min(end, mapping.End);
        for (ulong at = start - (start % mapping.PageSize); at < last; at += mapping.PageSize)
        {
            Rule done = Faults.Touch(run, mapping, at / run.PageSize, write, byKernel: true);
            run.Fire(done);
            if (done.Signal != Abi.Signal.None)
            {
                return done;
            }
        }

        return null;
    }

    private static Rule? One(Run run, Mapping mapping, ulong start, ulong end)
    {
        bool onFault = mapping.Has(MappingFlags.LockOnFault);
        if (onFault && run.Profile >= Abi.KernelProfile.Linux6_1)
        {
            return null;
        }

        if ((mapping.Flags & MappingFlags.Rights) == 0)
        {
            return NoAccess;
        }

        if (onFault)
        {
            return null;
        }

        bool write = mapping.Segment is null && mapping.Has(MappingFlags.Write);
        return Pages(run, mapping, start, end, write);
    }
}
