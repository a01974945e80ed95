using System.Collections.Frozen;
using System.Text.RegularExpressions;
using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>The system calls that a log shows when they are made: by the command line of strace,
/// or as far as the log itself tells.</summary>
public sealed class TracedSyscalls : ITracedSyscalls
{
    /// <summary>Classes of strace(1) and those of their members that concern the model.</summary>
    private static readonly FrozenDictionary<string, string[]> _classes =
        new Dictionary<string, string>
        {
            ["ipc"] = "shmget shmat shmdt shmctl ipc",
            ["process"] = """
                clone clone3 fork vfork execve execveat exit exit_group wait4 waitid waitpid kill
                tkill tgkill
                """,
            ["memory"] = """
                mmap mmap2 munmap mremap mprotect pkey_mprotect madvise mlock mlock2 munlock
                mlockall munlockall mbind set_mempolicy remap_file_pages brk msync mincore shmat
                shmdt
                """,
            ["creds"] = """
                setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid
                setuid32 setgid32 setreuid32 setregid32 setresuid32 setresgid32 setgroups32
                setfsuid32 setfsgid32 capset capget prctl
                """,
            ["desc"] = """
                write pwrite64 open openat openat2 creat close dup dup2 dup3 fcntl fcntl64
                ftruncate ftruncate64 fallocate memfd_create setns mmap mmap2 process_madvise
                """,
            ["file"] = """
                open openat openat2 creat execve execveat mount umount umount2 swapon swapoff
                """,
            ["signal"] = "kill tkill tgkill",
            ["network"] = "",
            ["net"] = "",
            ["clock"] = "",
            ["pure"] = "",
            ["stat"] = "",
            ["lstat"] = "",
            ["fstat"] = "",
            ["statfs"] = "",
            ["fstatfs"] = "",
        }.ToFrozenDictionary(
            member => member.Key,
            member => member.Value.Split(
                (char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Calls in no class, that every program of a C library makes at its start and that
    /// nobody asks for by name.</summary>
    private static readonly string[] _unasked =
        ["arch_prctl", "set_tid_address", "set_robust_list", "rseq", "getrandom"];

    private static readonly TimeSpan _patience = TimeSpan.FromMilliseconds(100);

    private readonly FrozenSet<string> _seen;
    private readonly HashSet<string> _named = [];
    private readonly List<Regex> _patterns = [];
    private readonly bool _isNegated;
    private readonly bool _hasUnknownParts;

    internal TracedSyscalls(StraceCommandLine? command, IEnumerable<string> seen)
    {
        _seen = seen.ToFrozenSet();
        string? expression = command?.Trace;
        if (command is null || expression is null)
        {
            int unasked = _unasked.Count(_seen.Contains);
            IsFromCommand = command is not null;
            IsAll = IsFromCommand || (unasked >= 2 && _seen.Contains("brk"));
            return;
        }

        IsFromCommand = true;
        _isNegated = expression.StartsWith('!');
        foreach (string part in expression.TrimStart('!').Split(','))
        {
            _hasUnknownParts |= !TryAdd(part.Trim());
        }

        IsAll = (_named.Remove("all") && !_isNegated) || (_isNegated && _named.Remove("none"));
    }

    /// <summary>The command line of strace is known, and decides. Else only calls that the log
    /// shows are known to be traced.</summary>
    public bool IsFromCommand { get; }

    /// <summary>All calls are traced.</summary>
    public bool IsAll { get; }

    /// <summary>The names that the log shows.</summary>
    public IReadOnlySet<string> Seen => _seen;

    /// <summary>Whether the log would show a call of this name.</summary>
    public Traced Of(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (IsAll || _seen.Contains(name))
        {
            return Traced.Yes;
        }

        if (!IsFromCommand)
        {
            return Traced.Unknown;
        }

        bool isNamed = _named.Contains(name) || _patterns.Exists(pattern => Matches(pattern, name));
        return isNamed != _isNegated ? Traced.Yes
            : isNamed || !_hasUnknownParts ? Traced.No : Traced.Unknown;
    }

    private bool TryAdd(string part)
    {
        string value = part.TrimStart('?');
        int personality = value.IndexOf('@', StringComparison.Ordinal);
        value = personality < 0 ? value : value[..personality];
        if (value.StartsWith('/'))
        {
            return TryAddPattern(value[1..]);
        }

        string name = value.TrimStart('%');
        bool isClass = value.StartsWith('%')
            || name is "file" or "process" or "network" or "signal" or "ipc" or "desc" or "memory";
        if (!isClass)
        {
            _named.Add(name);
            return true;
        }

        if (!_classes.TryGetValue(name, out string[]? members))
        {
            return false;
        }

        _named.UnionWith(members);
        return true;
    }

    private bool TryAddPattern(string pattern)
    {
        try
        {
            _patterns.Add(new Regex(pattern, RegexOptions.CultureInvariant, _patience));
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static bool Matches(Regex pattern, string name)
    {
        try
        {
            return pattern.IsMatch(name);
        }
        catch (RegexMatchTimeoutException)
        {
            return false;
        }
    }
}
