using ShmCheck.Abi;
using static ShmCheck.Abi.Errno;

namespace ShmCheck.Spec;

/// <summary>What a simulated machine adds to Linux: it runs out of frames, and its allocations
/// can be made to fail (docs/machine.md).</summary>
internal static class Machine
{
    public static readonly RuleFamily Family = new("machine");

    public static readonly Rule NoFrame = Family.Fault(
        "machine.frames",
        "On a simulated machine nothing is reclaimed for a page that needs a frame: when no frame "
            + "is free the access raises SIGBUS and changes nothing. The system calls that touch "
            + "pages stop there.",
        "docs/machine.md, Memory");

    public static readonly Rule FailFrame = Family.Fault(
        "fail.frame",
        "With injection, on a simulated machine: the frame that fails is as if none were free.",
        "docs/machine.md, Failure injection");

    public static readonly Rule FailSlot = Family.Effect(
        "fail.slot",
        "With injection, on a simulated machine: the slot that fails is as if swap were full; the "
            + "page stays dirty, its page table entries are gone, the call goes on.",
        "docs/machine.md, Failure injection");

    public static readonly Rule FailHuge = Family.Fault(
        "fail.huge",
        "With injection, on a simulated machine: the huge page that fails is as if there were "
            + "none: a fault raises SIGBUS and changes nothing; nr_hugepages grows the pool by "
            + "what came before.",
        "docs/machine.md, Failure injection");

    public static readonly Rule FailHugePromise = Family.Error(
        ENOMEM, "fail.huge-reservation",
        "With injection, on a simulated machine: a surplus huge page that a reservation needs is "
            + "not found; ENOMEM, nothing changed.",
        "docs/machine.md, Failure injection");

    public static readonly Rule FailId = Family.Error(
        ENOMEM, "fail.id",
        "With injection, on a simulated machine: shmget gets no identifier; ENOMEM, nothing "
            + "changed.",
        "docs/machine.md, Failure injection");

    public static readonly Rule FailBookkeeping = Family.Error(
        ENOMEM, "fail.bookkeeping",
        "With injection, on a simulated machine: memory for segments, attaches, mappings, tasks "
            + "or namespaces is not found; ENOMEM, nothing changed. A shmat that has passed its "
            + "permission test runs the test for destruction.",
        "docs/machine.md, Failure injection");

    public static readonly Rule FailBookkeepingOfAdvice = Family.Error(
        EAGAIN, "fail.bookkeeping-madvise",
        "With injection, on a simulated machine: madvise finds no memory; EAGAIN, nothing "
            + "changed.",
        "docs/machine.md, Failure injection; madvise(2)");

    /// <summary>Takes a frame for a page.</summary>
    /// <returns>The rule by which there is none.</returns>
    public static Rule? TakeFrame(Run run)
    {
        if (run.IsInjected(AllocationKind.Frame))
        {
            return FailFrame;
        }

        if (run.State.FreeFrames == 0)
        {
            return NoFrame;
        }

        run.State = run.State with { FramesUsed = run.State.FramesUsed + 1 };
        return null;
    }
}
