using ShmCheck.Abi.Recordings;

namespace ShmCheck.Harness.Oracle;

/// <summary>Says whether the specification explains a recorded log.</summary>
public static class LogOracle
{
    /// <summary>Judges a log.</summary>
    /// <param name="log">The log.</param>
    /// <param name="options">How.</param>
    public static OracleVerdict Judge(IRecording log, OracleOptions options)
    {
        ArgumentNullException.ThrowIfNull(log);
        ArgumentNullException.ThrowIfNull(options);
        if (log.Format.OrderUnknown)
        {
            return new OracleVerdict
            {
                Verdict = LogVerdict.Unreadable,
                File = log.Files[0],
                Line = 1,
                Reason = "the order of the events of its files is not known; record with -ttt",
            };
        }

        var script = new Script(log);
        var visible = new Visibility(log);
        var knowledge = new LogKnowledge(log);
        var start = new StartState(log, visible);
        OracleVerdict? best = null;
        int furthest = -1;
        foreach (Hypothesis hypothesis in start.Hypotheses())
        {
            (OracleVerdict verdict, int progress) =
                Judge(hypothesis, log, script, visible, knowledge, start, options);
            if (verdict.Verdict == LogVerdict.Explained)
            {
                return verdict;
            }

            (best, furthest) = progress > furthest ? (verdict, progress) : (best, furthest);
        }

        return best!;
    }

    private static (OracleVerdict Verdict, int Progress) Judge(
        Hypothesis hypothesis, IRecording log, Script script, Visibility visible,
        LogKnowledge knowledge, StartState start, OracleOptions options)
    {
        var assumptions = new Assumptions();
        Assume(assumptions, log, visible, options);
        knowledge.Bounding = hypothesis.Bounding;
        var stepper = new Stepper(knowledge, visible, assumptions);
        Configuration first = start.Under(hypothesis, script.First, options.OpenWorld);
        stepper.StartFrom(first.State.Tasks.Rows[0]);
        var explorer = new Explorer(script, stepper);
        bool isExplained = explorer.Explain(first);
        if (!isExplained && explorer.WasBounded)
        {
            isExplained = true;
            assumptions.Add(
                "calls overlap in more orders than were tried: from line "
                + $"{explorer.Failed!.Where.Line} on nothing was checked");
        }

        return (new OracleVerdict
        {
            Verdict = isExplained ? LogVerdict.Explained : LogVerdict.Unexplained,
            File = isExplained ? null : explorer.Failed!.Where.File,
            Line = isExplained ? 0 : explorer.Failed!.Where.Line,
            CallsChecked = explorer.Checked,
            CallsNotModelled = script.NotModelled + explorer.Passed,
            Reason = isExplained ? "" : explorer.Failed!.Reason,
            Assumptions = [.. assumptions.Sentences],
        }, explorer.Progress);
    }

    private static void Assume(
        Assumptions assumptions, IRecording log, Visibility visible, OracleOptions options)
    {
        if (!options.OpenWorld && !visible.IsPart)
        {
            assumptions.Add(
                "the log shows every process that uses the IPC namespace "
                + "(--open-world drops this)");
        }

        if (log.Sidecar is null)
        {
            assumptions.Add("limits, segments and credentials at the start are not known");
        }

        if (visible.HidesDrops || visible.HidesSplits)
        {
            assumptions.Add("calls that map and unmap are left out: shm_nattch is a bound");
        }

        if (visible.HidesRareSplits)
        {
            assumptions.Add(
                "nobody calls mlock2, mlockall, mbind or pkey_mprotect, which the log leaves out");
        }

        if (visible.HidesCredentials)
        {
            assumptions.Add("calls that change users are left out: refusals are not checked");
        }

        if (visible.HidesWrites)
        {
            assumptions.Add("writes are left out: limits may have changed unseen");
        }

        if (visible.TrustsSettings)
        {
            assumptions.Add(
                "writes are left out: settings that ended as they began never changed between");
        }

        if (visible.IsPart)
        {
            assumptions.Add("other files of the run belong to it (--together joins them)");
        }
    }
}
