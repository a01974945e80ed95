using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>Committed memory: what has been promised, and when a promise is refused.</summary>
internal static class Commit
{
    public static readonly RuleFamily Family = new("commit");

    private static readonly Rule Always = Family.Effect(
        "commit.always",
        "overcommit_memory 1: no request is refused.",
        "mm/util.c:__vm_enough_memory");

    private static readonly Rule Heuristic = Family.Effect(
        "commit.heuristic",
        "overcommit_memory 0: a single request for more pages than MemTotal + SwapTotal is "
            + "refused, whatever is committed already.",
        "mm/util.c:__vm_enough_memory");

    private static readonly Rule Never = Family.Effect(
        "commit.never",
        "overcommit_memory 2: a request, even one for no page, is refused unless the pages "
            + "committed with it stay below CommitLimit = (MemTotal - huge page pool) "
            + "* overcommit_ratio / 100 + SwapTotal.",
        "mm/util.c:__vm_enough_memory, vm_commit_limit");

    /// <summary>Charges base pages.</summary>
    /// <returns>False when they are refused; then nothing is charged.</returns>
    public static bool Charge(Run run, ulong pages)
    {
        SpecState state = run.State;
        bool granted = state.Overcommit switch
        {
            OvercommitMode.Always => true,
            OvercommitMode.Heuristic => pages <= state.Config.TotalPages + state.SwapTotal,
            _ => unchecked((long)(state.Committed + pages) < (long)state.CommitLimit),
        };
        run.Fire(state.Overcommit switch
        {
            OvercommitMode.Always => Always,
            OvercommitMode.Heuristic => Heuristic,
            _ => Never,
        });
        if (granted)
        {
            run.State = state with { Committed = state.Committed + pages };
        }

        return granted;
    }

    /// <summary>Whether a charge would be refused.</summary>
    public static bool Refuses(Run run, ulong pages)
    {
        SpecState before = run.State;
        bool refused = !Charge(run, pages);
        run.State = before;
        return refused;
    }

    /// <summary>Takes a charge back.</summary>
    public static void Uncharge(Run run, ulong pages) =>
        run.State = run.State with { Committed = run.State.Committed - pages };
}
