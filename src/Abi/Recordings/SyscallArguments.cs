namespace ShmCheck.Abi.Recordings;

/// <summary>The decoded arguments of a call. Closed: the records in the files beside this one are
/// all there are.</summary>
/// <remarks>Sizes, lengths and addresses are the bits that the program passed; ids of users,
/// groups and processes are signed, so that -1 is -1.</remarks>
public abstract record SyscallArguments
{
    private protected SyscallArguments()
    {
    }
}

/// <summary>A call that does not concern the model: only its text is kept.</summary>
public sealed record OtherArguments : SyscallArguments
{
    private OtherArguments()
    {
    }

    internal static OtherArguments Instance { get; } = new();
}

/// <summary>A call that concerns the model, on a well-formed line, whose arguments cannot be
/// understood.</summary>
/// <param name="Expected">What was expected.</param>
/// <param name="Position">Where.</param>
public sealed record UndecodedArguments(string Expected, SourcePosition Position)
    : SyscallArguments;

/// <summary>A string argument.</summary>
/// <param name="Text">One character for each byte of it.</param>
/// <param name="IsCut">It goes on: strace shows its start only (<c>-s</c>).</param>
public readonly record struct QuotedText(string Text, bool IsCut);

/// <summary>A file descriptor.</summary>
/// <param name="Number">The descriptor; -1 is none, -100 is AT_FDCWD.</param>
/// <param name="Path">What it refers to, where shown (<c>-y</c>): a path, <c>/memfd:name</c>,
/// <c>socket:[123]</c>.</param>
/// <param name="IsDeleted">The path is gone.</param>
public readonly record struct FileDescriptor(
    int Number, string? Path = null, bool IsDeleted = false)
{
    /// <summary>AT_FDCWD.</summary>
    public const int WorkingDirectory = -100;

    private const string Sysctls = "/proc/sys/";

    /// <summary>The sysctl that it writes, with dots: <c>vm.nr_hugepages</c>. Null when it is
    /// none.</summary>
    public string? Sysctl => Path is not null
        && Path.StartsWith(Sysctls, StringComparison.Ordinal)
        ? Path[Sysctls.Length..].Replace('/', '.') : null;
}
