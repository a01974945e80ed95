using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Finds the calls that are made through the 32-bit entry points: by strace's own
/// notices, else by calls and addresses that exist for one kind of program only.</summary>
/// <remarks>A task starts like its creator, and an execve starts a program of unknown kind, which
/// counts as a 64-bit one until something tells; what told then holds for its calls before, too.
/// </remarks>
internal sealed class WordSizeTracker
{
    private readonly Dictionary<int, Program> _programs = [];
    private readonly Dictionary<int, int> _creators = [];

    private WordSizeTracker(List<StraceCall> calls)
    {
        foreach (StraceCall call in calls)
        {
            if (CallKinds.ChildOf(call) is int child && call.Task is int creator)
            {
                _creators.TryAdd(child, creator);
            }
        }
    }

    public static void Track(List<StraceEvent> events, List<StraceCall> calls)
    {
        var tracker = new WordSizeTracker(calls);
        foreach (StraceEvent happened in events)
        {
            tracker.Visit(happened);
        }
    }

    /// <summary>What is known of the program that a task executes.</summary>
    private sealed class Program
    {
        public bool Is32Bit { get; set; }

        /// <summary>Calls made before anything told; null behind that.</summary>
        public List<StraceCall>? Undecided { get; set; }
    }

    private void Visit(StraceEvent happened)
    {
        Program program = ProgramOf(happened.Task ?? 0);
        if (happened is WordSizeChanged change)
        {
            program.Is32Bit = change.Is32Bit;
            program.Undecided = null;
        }

        if (happened is CallMade or CallEntered)
        {
            Judge(program, ((CallEvent)happened).Call);
        }

        if (happened is CallMade or CallReturned
            && ((CallEvent)happened).Call is { Name: "execve" or "execveat" } execve
            && execve.Result.Succeeded)
        {
            _programs[happened.Task ?? 0] = new Program { Undecided = [] };
        }
    }

    private Program ProgramOf(int task)
    {
        if (!_programs.TryGetValue(task, out Program? program))
        {
            Program? creator = _creators.TryGetValue(task, out int id)
                ? _programs.GetValueOrDefault(id) : null;
            program = new Program
            {
                Is32Bit = creator?.Is32Bit ?? false,
                Undecided = creator is null || creator.Undecided is not null ? [] : null,
            };
            _programs.Add(task, program);
        }

        return program;
    }

    private static void Judge(Program program, StraceCall call)
    {
        bool? is32Bit = CallKinds.Is32BitOnly(call.Name) || HasVersion(call) ? true
            : CallKinds.Is64BitOnly(call.Name) || HasLongAddress(call) ? false : null;
        if (is32Bit is null)
        {
            program.Undecided?.Add(call);
            call.Is32Bit = program.Is32Bit;
            return;
        }

        program.Is32Bit = is32Bit.Value;
        foreach (StraceCall earlier in program.Undecided ?? [])
        {
            earlier.Is32Bit = program.Is32Bit;
        }

        program.Undecided = null;
        call.Is32Bit = program.Is32Bit;
    }

    /// <summary>A 64-bit program gets EINVAL for IPC_64: its entry point does not know it.
    /// </summary>
    private static bool HasVersion(StraceCall call) =>
        call.Arguments is ShmCtlArguments { HasIpc64: true } && call.Result.Succeeded;

    private static bool HasLongAddress(StraceCall call)
    {
        const int longestOf32Bit = 8;
        if (CallKinds.ReturnsAddress(call.Name) && call.Result.Succeeded
            && call.Result.Address > uint.MaxValue)
        {
            return true;
        }

        ReadOnlySpan<char> text = call.ArgumentText;
        if (!text.StartsWith("0x"))
        {
            return false;
        }

        return NumberText.Hexadecimal(text[2..], out _) > longestOf32Bit;
    }
}
