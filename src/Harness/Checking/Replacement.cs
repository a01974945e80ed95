using ShmCheck.Abi;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Checking;

/// <summary>Whether a system unmaps what a call replaces before it looks whether the call can be
/// made.</summary>
internal static class Replacement
{
    /// <summary>Whether a call succeeds that a rule refuses, as it would by the specification if
    /// what it replaces were not mapped any more.</summary>
    public static bool Explains(WrongFigure.Replaced figure, in Departure seen)
    {
        if (seen.Divergence is not { Call: ProcessCall call, Rule: { } rule, Replied: Reply.Value }
            || rule.Id != figure.Rule || Unmapping(call, seen) is not { } unmapping)
        {
            return false;
        }

        var aside = new StepContext(seen.Bindings, new CanonicalChoices(), new StepLog());
        StepResult unmapped = Specification.Step(seen.Before, unmapping, aside);
        return unmapped.Reply.Succeeded
            && Specification.Step(unmapped.State, call, aside).Reply.Succeeded;
    }

    /// <summary>The call that unmaps what a call replaces; none where it replaces nothing.
    /// </summary>
    private static MUnmap? Unmapping(ProcessCall call, in Departure seen)
    {
        (AddressRef Start, ulong Length)? range = call switch
        {
            MMap map when (map.Flags & MapFlags.MAP_FIXED) != 0 => (map.Start, map.Length),
            MRemap move when (move.Flags & MRemapFlags.MREMAP_FIXED) != 0 =>
                (move.NewAddress, move.NewLength),
            ShmAt at when (at.Flags.Raw & ShmAtFlags.SHM_REMAP) != 0 =>
                (at.Address, Filling.SizeOf(seen.Before, at, seen.Bindings)),
            _ => null,
        };
        if (range is not { } replaced || seen.Resolve(replaced.Start) is not { } start)
        {
            return null;
        }

        ulong page = seen.Before.Config.PageSize;
        return new MUnmap(call.Caller, AddressRef.Literal(start / page * page), replaced.Length);
    }
}
