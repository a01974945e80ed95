namespace ShmCheck.Properties.Oracle.Falsification;

/// <summary>Why a falsification can go unnoticed: by field and doubt. What is not in here must be
/// noticed.</summary>
internal static class Accounts
{
    private const string Order =
        "the other order of the overlapping calls gives this figure, or the bounds of both do";

    private const string Touches = "pages may be touched and reclaimed at any time";

    private const string Second = "the log has no time stamps: any second from one to the other";

    private const string Filter = "a call that the log leaves out could have done it";

    private const string Memory = "memory, huge pages or a limit may have run short";

    private const string Before = "what was before the log is not known";

    private const string LowerBound =
        "gap: a stamp set while attaches and detaches overlap has no bound below";

    private static readonly Dictionary<(string Family, Doubt Doubt), string> _reasons = new()
    {
        [("stat", Doubt.Overlap)] = Order,
        [("stat", Doubt.Clock)] = Second,
        [("stat", Doubt.HiddenCalls)] = Filter,
        [("stat", Doubt.UnknownStart)] = Before,
        [("totals", Doubt.Overlap)] = Order,
        [("totals", Doubt.Residency)] = Touches,
        [("totals", Doubt.HiddenCalls)] = Filter,
        [("totals", Doubt.UnknownStart)] = Before,
        [("info", Doubt.HiddenCalls)] = "a write to the setting would not be shown",
        [("info", Doubt.UnknownStart)] = Before,
        [("shmget", Doubt.Overlap)] = Order,
        [("shmget", Doubt.Shortage)] = Memory,
        [("shmget", Doubt.HiddenCalls)] = Filter,
        [("shmget", Doubt.UnknownStart)] = Before,
        [("shmat", Doubt.Overlap)] = Order,
        [("shmat", Doubt.Shortage)] = Memory,
        [("shmat", Doubt.HiddenCalls)] = Filter,
        [("shmat", Doubt.UnknownStart)] = Before,
        [("shmdt", Doubt.Overlap)] = Order,
        [("shmdt", Doubt.HiddenCalls)] = Filter,
        [("shmdt", Doubt.UnknownStart)] = Before,
        [("shmctl", Doubt.Overlap)] = Order,
        [("shmctl", Doubt.HiddenCalls)] = Filter,
        [("shmctl", Doubt.UnknownStart)] = Before,
        [("IPC_RMID", Doubt.Overlap)] = Order,
        [("IPC_RMID", Doubt.HiddenCalls)] = Filter,
        [("mmap", Doubt.HiddenCalls)] = Filter,
        [("munmap", Doubt.HiddenCalls)] = Filter,
        [("mlock", Doubt.Shortage)] = Memory,
        [("munlock", Doubt.Shortage)] = "splitting a mapping takes memory of the kernel",
    };

    /// <summary>What is certainly wrong and not noticed all the same: a gap of the oracle, by log,
    /// line and field.</summary>
    private static readonly Dictionary<(string Log, int Line, string Field), string> _gaps = new()
    {
        [("format-variants/stress-ng_stderr-style.strace", 308, "stat.atime.early")] = LowerBound,
        [("format-variants/stress-ng_stderr-style.strace", 308, "stat.dtime.early")] = LowerBound,
    };

    /// <summary>Why a falsification can go unnoticed; null when it must be noticed.</summary>
    /// <param name="log">The log.</param>
    /// <param name="forgery">What was changed in it.</param>
    public static string? Of(string log, Forgery forgery) =>
        _gaps.GetValueOrDefault((log, forgery.Line, forgery.Field))
        ?? _reasons.GetValueOrDefault((forgery.Field.Split('.')[0], forgery.Doubt));
}
