namespace ShmCheck.Systems.Strace;

/// <summary>Numbers of signals on Linux/x86 (asm/signal.h).</summary>
internal static class SignalNumbers
{
    private const int LastSignal = 64;

    /// <summary>Pairs of name and number.</summary>
    public const string Definitions = """
        SIGHUP 1 SIGINT 2 SIGQUIT 3 SIGILL 4 SIGTRAP 5 SIGABRT 6 SIGBUS 7 SIGFPE 8 SIGKILL 9
        SIGUSR1 10 SIGSEGV 11 SIGUSR2 12 SIGPIPE 13 SIGALRM 14 SIGTERM 15 SIGSTKFLT 16
        SIGCHLD 17 SIGCONT 18 SIGSTOP 19 SIGTSTP 20 SIGTTIN 21 SIGTTOU 22 SIGURG 23 SIGXCPU 24
        SIGXFSZ 25 SIGVTALRM 26 SIGPROF 27 SIGWINCH 28 SIGIO 29 SIGPOLL 29 SIGPWR 30 SIGSYS 31
        SIGRTMIN 32 SIGRT_1 33 SIGRT_2 34 SIGRT_3 35 SIGRT_4 36 SIGRT_5 37 SIGRT_6 38
        SIGRT_7 39 SIGRT_8 40 SIGRT_9 41 SIGRT_10 42 SIGRT_11 43 SIGRT_12 44 SIGRT_13 45
        SIGRT_14 46 SIGRT_15 47 SIGRT_16 48 SIGRT_17 49 SIGRT_18 50 SIGRT_19 51 SIGRT_20 52
        SIGRT_21 53 SIGRT_22 54 SIGRT_23 55 SIGRT_24 56 SIGRT_25 57 SIGRT_26 58 SIGRT_27 59
        SIGRT_28 60 SIGRT_29 61 SIGRT_30 62 SIGRT_31 63 SIGRT_32 64
        """;

    /// <summary>Number of a signal given by name or number; 0 when there is none.</summary>
    public static int Of(ReadOnlySpan<char> signal)
    {
        if (ConstantTable.Signals.TryGet(signal, out ulong number))
        {
            return (int)number;
        }

        return NumberText.Decimal(signal, out number) == signal.Length
            && number is > 0 and <= LastSignal ? (int)number : 0;
    }
}
