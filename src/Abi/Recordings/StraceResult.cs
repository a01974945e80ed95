namespace ShmCheck.Abi.Recordings;

/// <summary>What kind of result a call shows.</summary>
public enum ResultKind
{
    /// <summary>None: the call never returned, or the log does not show it.</summary>
    None,
    /// <summary>A value.</summary>
    Value,
    /// <summary>-1 and an error.</summary>
    Error,
    /// <summary><c>?</c>: the call does not return (exit, death inside the call).</summary>
    NoReturn,
    /// <summary><c>? ERESTARTSYS</c> and the like: interrupted, the kernel makes it again.
    /// </summary>
    Restarted,
    /// <summary><c>? &lt;unavailable&gt;</c>: strace could not read it.</summary>
    Unavailable,
}

/// <summary>What strace did to a call (<c>-e inject</c>, <c>-e fault</c>).</summary>
[Flags]
public enum Tampering
{
    /// <summary>Nothing.</summary>
    None = 0,
    /// <summary>The result is made up and the kernel did not execute the call.</summary>
    ResultInjected = 1,
    /// <summary>Arguments were overwritten in the memory of the program.</summary>
    ArgumentsInjected = 2,
    /// <summary>The call was delayed.</summary>
    Delayed = 4,
}

/// <summary>What stands behind the <c>=</c> of a call.</summary>
/// <param name="Kind">Kind of result.</param>
/// <param name="Value">The value; -1 with an error, 0 where there is none. A value with its upper
/// bit set, such as an address, is the same bits as a signed number.</param>
/// <param name="ErrorName">Name of the error (<c>EINVAL</c>, <c>ERESTARTSYS</c>), if any.</param>
/// <param name="ErrorNumber">Number of an error that has no name.</param>
/// <param name="Decoration">What <c>-y</c> or <c>-Y</c> adds in angle brackets, without them: path
/// of a descriptor, name of a command.</param>
/// <param name="Note">The comments in parentheses behind the value, without the text of an error:
/// <c>Timeout</c>, <c>flags FD_CLOEXEC</c>.</param>
/// <param name="Tampering">What strace itself did.</param>
public readonly record struct StraceResult(
    ResultKind Kind, long Value = 0, string? ErrorName = null, int? ErrorNumber = null,
    string? Decoration = null, string? Note = null, Tampering Tampering = Tampering.None)
{
    /// <summary>Whether the call returned a value.</summary>
    public bool Succeeded => Kind == ResultKind.Value;

    /// <summary>The value as an address.</summary>
    public ulong Address => unchecked((ulong)Value);

    /// <summary>The error, where it is one that the model knows.</summary>
    public Errno? Errno => Kind switch
    {
        ResultKind.Error when ErrorName is not null
            && Enum.TryParse(ErrorName, out Errno known) && known != Abi.Errno.None => known,
        _ => null,
    };

    /// <summary>As strace prints it, without duration and comments.</summary>
    public override string ToString() => Kind switch
    {
        ResultKind.None => "",
        ResultKind.Value => $"{Value}",
        ResultKind.Error => ErrorName is null ? $"-1 (errno {ErrorNumber})" : $"-1 {ErrorName}",
        ResultKind.NoReturn => "?",
        ResultKind.Restarted => $"? {ErrorName}",
        ResultKind.Unavailable => "? <unavailable>",
        _ => throw new InvalidOperationException($"unknown kind {Kind}"),
    };
}
