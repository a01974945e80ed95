using ShmCheck.Abi;

namespace ShmCheck.Harness.Checking;

/// <summary>The run that ends with a call which does not come back. The thread that makes the call
/// still has its own books of the run, so these are made anew on the specification.</summary>
internal static class HungRun
{
    public static RunRecord Record(HungCall hung)
    {
        var record = new RunRecord();
        new SequenceRunner(SpecSystem.Factory).Run(
            hung.Machine, new CallList([.. hung.Calls.SkipLast(1)]), record, endProcesses: false);
        Call call = hung.Calls[^1];
        record.Divergence = new Divergence(
            record.Calls.Count, call, null, Breakdown.OfHang(call.Kind),
            [new Difference("reply", "reply", "one", Breakdown.HungText, "")]);
        record.Add(call, Reply.Zero);
        return record;
    }
}
