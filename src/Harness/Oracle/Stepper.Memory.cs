using ShmCheck.Abi;
using ShmCheck.Abi.Recordings;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Oracle;

/// <summary>Calls that change mappings. Only attaches are known: what else is mapped is not, so
/// that a call is made on each attach of its range.</summary>
internal sealed partial class Stepper
{
    /// <summary>Whether a call on mappings touches an attach.</summary>
    public static bool Touches(Configuration at, Operation operation)
    {
        if (!at.State.Tasks.TryGet((ulong)operation.Task, out KernelTask? task))
        {
            return true;
        }

        AddressSpace space = at.State.Spaces[task.Space];
        if (space.Mappings.Count == 0)
        {
            return false;
        }

        (ulong start, ulong length) = RangeOf(operation.Call!);
        return space.IsMapped(start, unchecked(start + length) < start
                ? ulong.MaxValue : start + length)
            || (operation.Call!.Arguments is MRemapArguments moved
                && operation.Call.Result.Succeeded
                && space.IsMapped(
                    operation.Call.Result.Address,
                    operation.Call.Result.Address + moved.NewLength));
    }

    /// <summary>Whether a call works on mappings.</summary>
    public static bool IsOnMappings(SyscallArguments arguments) => arguments is MUnmapArguments
        or MMapArguments or MProtectArguments or MRemapArguments or MLockArguments
        or MUnlockArguments or MLockAllArguments or MUnlockAllArguments or MAdviseArguments
        or MBindArguments;

    private static (ulong Start, ulong Length) RangeOf(StraceCall call) => call.Arguments switch
    {
        MUnmapArguments made => (made.Address, made.Length),
        MMapArguments made => (call.Result.Succeeded ? call.Result.Address : made.Address,
            made.Length),
        MProtectArguments made => (made.Address, made.Length),
        MRemapArguments made => (made.Address, ulong.Max(made.Length, 1)),
        MLockArguments made => (made.Address, made.Length),
        MUnlockArguments made => (made.Address, made.Length),
        MAdviseArguments made => (made.Address, made.Length),
        MBindArguments made => (made.Address, made.Length),
        _ => (0, MachineConfig.TaskSize),
    };

    private IEnumerable<Configuration> ChangeMappings(Configuration before, Operation operation)
    {
        StraceCall shown = operation.Call!;
        (ulong start, ulong length) = RangeOf(shown);
        return shown.Arguments switch
        {
            MMapArguments made => Map(before, operation, made, start, length),
            MUnmapArguments => shown.Result.Kind is ResultKind.Error or ResultKind.Value
                ? Plain(before, operation, new MUnmap(
                    HandleOf(operation.Task), AddressRef.Literal(start), length))
                : [before, Unmap(before, operation, start, start + length)],
            MRemapArguments made => Move(before, operation, made),
            _ => ForEach(before, operation, start, length),
        };
    }

    private IEnumerable<Configuration> Map(
        Configuration before, Operation operation, MMapArguments made, ulong start, ulong length)
    {
        Configuration after = before;
        if ((made.Flags.Bits & MMapArguments.MAP_HUGETLB) != 0)
        {
            after = DoubtPool(after);
        }

        if (!SpaceOf(after, operation.Task).IsMapped(start, start + length))
        {
            return [after];
        }

        bool replaces = (made.Flags.Bits & MMapArguments.MAP_FIXED) != 0;
        if (!replaces && !_visible.HidesDrops && !IsOld(before, operation.Task))
        {
            Mismatch ??= $"seen: 0x{start:x}, where a segment is attached";
            return [];
        }

        var call = new MUnmap(HandleOf(operation.Task), AddressRef.Literal(start), length);
        return [Step(after, call, operation).After];
    }

    private IEnumerable<Configuration> Move(
        Configuration before, Operation operation, MRemapArguments made)
    {
        StraceResult seen = operation.Call!.Result;
        AddressSpace space = SpaceOf(before, operation.Task);
        ProcessHandle caller = HandleOf(operation.Task);
        var flags = (MRemapFlags)made.Flags.Bits;
        Mapping? source = space.Find(made.Address);
        if (source is null)
        {
            // What moves is no attach; it may replace one.
            return seen.Succeeded && (flags & MRemapFlags.MREMAP_FIXED) != 0
                ? [Step(before, new MUnmap(
                    caller, AddressRef.Literal(seen.Address), made.NewLength), operation).After]
                : [before];
        }

        ulong target = made.NewAddress ?? 0;
        if (seen.Succeeded && seen.Address != made.Address
            && (flags & MRemapFlags.MREMAP_DONTUNMAP) == 0)
        {
            // Whether there was room in place depends on mappings that are not known.
            flags |= MRemapFlags.MREMAP_FIXED | MRemapFlags.MREMAP_MAYMOVE;
            target = seen.Address;
        }

        var call = new Abi.MRemap(
            caller, AddressRef.Literal(made.Address), made.Length, made.NewLength, flags,
            AddressRef.Literal(target), default);
        return seen.Errno is Errno.ENOMEM or Errno.EAGAIN or Errno.EFAULT
            ? [before] : Plain(before, operation, call);
    }

    /// <summary>A call that changes flags of mappings, on each attach in its range.</summary>
    private IEnumerable<Configuration> ForEach(
        Configuration before, Operation operation, ulong start, ulong length)
    {
        ulong page = before.State.Config.PageSize;
        bool rounds = operation.Call!.Arguments is MLockArguments or MUnlockArguments;
        ulong first = rounds ? start - (start % page) : start;
        ulong end = unchecked(start + length + page - 1) & ~(page - 1);
        end = end < start ? ulong.MaxValue : end;
        Mapping[] pieces = [.. SpaceOf(before, operation.Task).Mappings.Rows.Where(
            mapping => mapping.Start < end && mapping.End > first)];
        if (CallFor(operation, first, length) is not { } whole)
        {
            return [before];
        }

        StraceResult seen = operation.Call!.Result;
        if (seen.Errno == Errno.EINVAL && HasOtherBits(operation.Call.Arguments))
        {
            return [before];
        }

        bool isCovered = pieces.Length > 0 && pieces[0].Start <= first && pieces[^1].End >= end
            && pieces.Zip(pieces.Skip(1)).All(pair => pair.First.End == pair.Second.Start);
        bool isLimited = seen.Errno is Errno.ENOMEM or Errno.EAGAIN or Errno.EPERM;
        if (isCovered && operation.Call.Arguments is MProtectArguments && !isLimited)
        {
            return Plain(before, operation, whole);
        }

        var reached = new List<Configuration> { before };
        Configuration after = before;
        foreach (Mapping piece in pieces)
        {
            ulong from = ulong.Max(piece.Start, first);
            ulong to = ulong.Min(piece.End, end);
            (after, Reply reply, Rule? rule) =
                Step(after, CallFor(operation, from, to - from)!, operation);
            if (reply is Reply.Error error && seen.Succeeded)
            {
                Mismatch ??= $"seen: {seen}; the specification allows: -1 {error.Errno} "
                    + $"({rule!.Id}: {rule.Statement} [{rule.Source}])";
                return [];
            }

            reached.Add(after);
        }

        if (seen.Kind == ResultKind.Value)
        {
            return [after];
        }

        // Limits are looked at first; a gap can be at any place that is no attach.
        bool isLimit = seen.Errno is Errno.EPERM or Errno.EAGAIN || (rounds && isCovered
            && pieces.All(piece => (piece.Flags & MappingFlags.Rights) != 0));
        if (!isLimit)
        {
            return reached;
        }

        bool isPrivileged = !DoubtsCredentials && TaskOf(before, operation.Task).Credentials.Has(
            CapabilitySet.CAP_IPC_LOCK);
        Mismatch ??= $"seen: {seen}; the caller's CAP_IPC_LOCK lifts the limit";
        return isPrivileged ? [] : [before];
    }

    /// <summary>The call on a part of its range; none for advice that leaves flags alone. What
    /// is locked is not faulted in, for no page is known.</summary>
    private Call? CallFor(Operation operation, ulong start, ulong length)
    {
        ProcessHandle caller = HandleOf(operation.Task);
        AddressRef at = AddressRef.Literal(start);
        return operation.Call!.Arguments switch
        {
            MProtectArguments made => new MProtect(
                caller, at, length, (Protection)(made.Protection.Bits & 7)),
            MLockArguments => new MLock(caller, at, length, OnFault: true),
            MLockAllArguments { Flags: var flags } => flags.Has(1)
                ? new MLock(caller, at, length, OnFault: true) : null,
            MUnlockArguments or MUnlockAllArguments => new MUnlock(caller, at, length),
            MAdviseArguments made => ChangesFlags(made.Advice.Bits)
                ? new MAdvise(caller, at, length, (Advice)made.Advice.Bits) : null,
            MBindArguments made => new MBind(caller, at, length, (int)(made.Policy.Bits & 0xf)),
            _ => null,
        };
    }

    /// <summary>Whether a call has bits that the specification does not know: PROT_GROWSDOWN and
    /// PROT_GROWSUP are for stacks, the others for nothing (mm/mprotect.c:do_mprotect_pkey,
    /// mm/mlock.c:mlock2).</summary>
    private static bool HasOtherBits(SyscallArguments arguments) => arguments switch
    {
        MProtectArguments { Protection: var rights } => IsBeyond(rights, 7),
        MLockArguments { Flags: { } flags } => IsBeyond(flags, 1),
        _ => false,
    };

    private static bool IsBeyond(FlagWord word, ulong known) =>
        word.UnknownNames is not null || (word.Bits & ~known) != 0;

    private static bool ChangesFlags(ulong advice) => (Advice)advice is Advice.MADV_NORMAL
        or Advice.MADV_RANDOM or Advice.MADV_SEQUENTIAL or Advice.MADV_DONTFORK
        or Advice.MADV_DOFORK or Advice.MADV_DONTDUMP or Advice.MADV_DODUMP;
}
