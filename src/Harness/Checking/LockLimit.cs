using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Checking;

/// <summary>Whether a system lets a process lock less memory than it should.</summary>
internal static class LockLimit
{
    /// <summary>Whether a call fails as it would by the specification if its caller had no right to
    /// lock more than RLIMIT_MEMLOCK, and that were less than a page.</summary>
    public static bool Explains(in Departure seen)
    {
        if (seen.Divergence is not { Call: { } call, Replied: Reply.Error error }
            || Caller.Of(call, seen.Before, seen.Bindings) is not { } caller)
        {
            return false;
        }

        Credentials rights = caller.Credentials;
        ThreadGroup group = seen.Before.Groups[(ulong)caller.Tgid];
        SpecState state = seen.Before with
        {
            Tasks = seen.Before.Tasks.Set((ulong)caller.Tid, caller with
            {
                Credentials = rights with
                {
                    Effective = rights.Effective & ~CapabilitySet.CAP_IPC_LOCK,
                },
            }),
            Groups = seen.Before.Groups.Set((ulong)caller.Tgid, group with { MemLock = 1 }),
        };
        var aside = new StepContext(seen.Bindings, new CanonicalChoices(), new StepLog());
        return Specification.Step(state, call, aside).Reply is Reply.Error right
            && right.Errno == error.Errno;
    }
}
