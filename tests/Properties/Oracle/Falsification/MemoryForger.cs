namespace ShmCheck.Properties.Oracle.Falsification;

/// <summary>Falsifies the outcomes of calls that concern mappings, where they touch an attach.
/// </summary>
internal sealed class MemoryForger(LogFacts facts)
{
    /// <summary>The falsified outcomes of a call.</summary>
    public IEnumerable<Forgery> Forge(CallText call, Attaches attaches)
    {
        foreach ((string field, string text, Doubt doubt) in Outcomes(call, attaches))
        {
            yield return new Forgery(
                call.Outcome.Line, field, call.Outcome.Offset, call.Outcome.Text, text, doubt);
        }
    }

    private Doubt Mappings => facts.ShowsMappings ? Doubt.None : Doubt.HiddenCalls;

    private IEnumerable<(string, string, Doubt)> Outcomes(CallText call, Attaches attaches)
    {
        LiveAttach? attach = attaches.At(call.Task, call.Argument(0));
        string error = OutcomeForger.Failure("EINVAL");
        return call.Name switch
        {
            "mmap" or "mmap2" when call.Succeeded && call.Argument(0) is "NULL" or "0" =>
                Overlapping("mmap.address.overlap", call, attaches),
            "mremap" when call.Succeeded
                && call.Argument(3).EndsWith("MREMAP_MAYMOVE", StringComparison.Ordinal) =>
                Overlapping("mremap.address.overlap", call, attaches),
            "munmap" when attach is not null =>
                [call.Succeeded ? ("munmap.fails", error, Mappings) : ("munmap.succeeds", "0",
                    Doubt.HiddenCalls)],
            "mprotect" when attach is { IsReadOnly: false } && call.Succeeded =>
                [("mprotect.fails", OutcomeForger.Failure("EACCES"), Mappings)],
            "mprotect" when attach is not null && call.Error == "EACCES" =>
                [("mprotect.succeeds", "0", Mappings)],
            "mlock" or "mlock2" when attach is not null => call.Succeeded
                ? [("mlock.fails", OutcomeForger.Failure("ENOMEM"), Doubt.Shortage)]
                : [("mlock.succeeds", "0", Doubt.Shortage)],
            "munlock" when attach is not null && call.Succeeded =>
                [("munlock.fails", OutcomeForger.Failure("ENOMEM"), Doubt.Shortage)],
            _ => [],
        };
    }

    private IEnumerable<(string, string, Doubt)> Overlapping(
        string field, CallText call, Attaches attaches)
    {
        ulong own = Attaches.Address(call.Argument(0)) ?? 0;
        return attaches.Of(call.Task).Where(live => live.Address != own).TakeLast(1)
            .Select(live => (field, $"0x{live.Address:x}", Mappings));
    }
}
