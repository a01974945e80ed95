using ShmCheck.Abi;
using static ShmCheck.Abi.Errno;

namespace ShmCheck.Spec;

/// <summary>The swap device: swapon(2) and swapoff(2).</summary>
internal static class Swap
{
    public static readonly RuleFamily Family = new("swap");

    private static readonly Guard<Run> SwapRight = Family.Fails<Run>(
        EPERM, "swap.eperm", run => !run.Who.Has(CapabilitySet.CAP_SYS_ADMIN),
        "swapon and swapoff need CAP_SYS_ADMIN; this is found first.",
        "mm/swapfile.c:swapon, swapoff; swapon(2)");

    private static readonly Guard<Run> NoDevice = Family.Fails<Run>(
        ENOENT, "swap.enoent", run => run.State.Config.SwapSlots == 0,
        "The machine has no swap device.", "docs/machine.md, Swap; swapon(2)");

    private static readonly Guard<Run>[] SwapOnTests =
    [
        SwapRight, NoDevice,
        Family.Fails<Run>(EBUSY, "swapon.ebusy", run => run.State.SwapInUse,
            "The device is in use.", "mm/swapfile.c:swapon; swapon(2)"),
    ];

    private static readonly Guard<Run>[] SwapOffTests =
    [
        SwapRight, NoDevice,
        Family.Fails<Run>(EINVAL, "swapoff.einval", run => !run.State.SwapInUse,
            "The device is not in use.", "mm/swapfile.c:swapoff; swapon(2)"),
        Family.Fails<Run>(ENOMEM, "swapoff.enomem.commit",
            run => Commit.Refuses(run, run.State.Config.SwapSlots),
            "The overcommit rule refuses as many pages as the device has.",
            "mm/swapfile.c:swapoff; swapon(2)"),
    ];

    private static readonly Rule NoFrames = Family.Error(ENOMEM, "swapoff.enomem.frames",
        "On a simulated machine: a swapped page finds no frame; nothing has changed.",
        "docs/machine.md, Swap");

    private static readonly Rule SwapStarted = Family.Effect("swapon.ok",
        "The device is in use, and adds to SwapTotal.", "mm/swapfile.c:swapon; swapon(2)");

    private static readonly Rule SwapStopped = Family.Effect("swapoff.ok",
        "All swapped pages come back (S, W to D), also of segments that nobody attaches; no page "
            + "table entry comes.",
        "mm/shmem.c:shmem_unuse; swapoff(2)");

    public static StepResult Execute(Run run, SwapOn _)
    {
        Rule? failure = run.Check(SwapOnTests, run);
        if (failure is null)
        {
            run.State = run.State with { SwapInUse = true };
        }

        return run.FailsOr(failure, SwapStarted);
    }

    public static StepResult Execute(Run run, SwapOff _)
    {
        SpecState before = run.State;
        Rule? failure = run.Check(SwapOffTests, run);
        if (failure is null && !BringAllBack(run))
        {
            run.State = before;
            failure = NoFrames;
        }

        if (failure is null)
        {
            run.State = run.State with { SwapInUse = false };
        }

        return run.FailsOr(failure, SwapStopped);
    }

    private static bool BringAllBack(Run run)
    {
        foreach (Segment segment in run.State.Segments.Rows)
        {
            foreach ((ulong index, ObjectPage page) in segment.Object.Pages
                .Between(0, ulong.MaxValue).Where(row => row.Row.HoldsSlot))
            {
                Rule done = Faults.BringBack(run, segment.Location, index);
                run.Fire(done);
                if (done.Signal != Signal.None)
                {
                    return false;
                }
            }
        }

        return true;
    }
}
