using ShmCheck.Abi.Recordings;

namespace ShmCheck.Harness.Oracle;

/// <summary>What a log would show, and what it may hide.</summary>
internal sealed class Visibility
{
    private static readonly string[] _dropping = ["munmap", "mmap", "mremap", "execve"];
    private static readonly string[] _splitting =
        ["munmap", "mremap", "mprotect", "mlock", "madvise"];
    private static readonly string[] _rare =
        ["mlock2", "mlockall", "munlockall", "mbind", "pkey_mprotect"];
    private static readonly string[] _forking = ["clone", "clone3", "fork", "vfork"];
    private static readonly string[] _credentials =
        ["setuid", "setresuid", "setreuid", "setgid", "setresgid"];

    public Visibility(IRecording log)
    {
        bool is32Bit = log.Calls.Count > 0 && log.Calls.Any(call => call.Is32Bit);
        bool showsMemory = Shows(log, "mmap", is32Bit) && Shows(log, "munmap", is32Bit)
            && Shows(log, "mprotect", is32Bit);
        bool Hides(string name) => log.Traced.Of(name) switch
        {
            Traced.Yes => false,
            Traced.No => true,
            // Without a command line: a filter that shows these shows their like.
            _ => !showsMemory,
        };
        HidesDrops = _dropping.Any(name => Hides(name) && !(is32Bit && name == "mmap"));
        HidesSplits = _splitting.Any(Hides);
        HidesRareSplits = !HidesSplits && _rare.Any(name => log.Traced.Of(name) == Traced.No);
        HidesForks = _forking.All(name => log.Traced.Of(name) != Traced.Yes);
        HidesCredentials = _credentials.Any(name => log.Traced.Of(name) != Traced.Yes);
        bool isWriteHidden = log.Traced.Of("write") != Traced.Yes;
        bool areSettingsKnown = log.Sidecar is { Settings.IsEmpty: false };
        HidesWrites = isWriteHidden && (!areSettingsKnown || !log.Sidecar!.Changed.IsEmpty);
        TrustsSettings = isWriteHidden && !HidesWrites;
        bool isPart = log.Sidecar?.Strace is { IsSeparate: true } && log.Files.Count == 1
            && log.Format.MergedSections == 1;
        FollowsChildren = !isPart && (log.Sidecar?.Strace is { } command ? command.Follows
            : log.Format.TaskIds != TaskIdStyle.None);
        IsPart = isPart || (log.Format.TaskIds == TaskIdStyle.PerFile && log.Files.Count == 1
            && log.Format.MergedSections == 1);
        HidesNamespaces = log.Traced.Of("unshare") == Traced.No;
        ShowsEnds = log.Format.HasExitNotices;
    }

    /// <summary>Attaches can go unseen.</summary>
    public bool HidesDrops { get; }

    /// <summary>Mappings can be split unseen.</summary>
    public bool HidesSplits { get; }

    /// <summary>Calls that split mappings and that hardly any program makes are left out.
    /// </summary>
    public bool HidesRareSplits { get; }

    /// <summary>Tasks can begin unseen.</summary>
    public bool HidesForks { get; }

    /// <summary>Users and groups can change unseen.</summary>
    public bool HidesCredentials { get; }

    /// <summary>Settings of the kernel can change unseen.</summary>
    public bool HidesWrites { get; }

    /// <summary>Settings could change unseen, but were at the end as at the start.</summary>
    public bool TrustsSettings { get; }

    /// <summary>New tasks are in the log.</summary>
    public bool FollowsChildren { get; }

    /// <summary>The log is one of several files of a run.</summary>
    public bool IsPart { get; }

    /// <summary>Tasks can enter other IPC namespaces unseen.</summary>
    public bool HidesNamespaces { get; }

    /// <summary>The log shows the ends of tasks.</summary>
    public bool ShowsEnds { get; }

    private static bool Shows(IRecording log, string name, bool is32Bit) =>
        log.Traced.Of(name) == Traced.Yes
        || (is32Bit && name == "mmap" && log.Traced.Of("mmap2") == Traced.Yes);
}
