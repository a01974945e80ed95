using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Exporting;

/// <summary>The form of a program for a trace of one process: the calls one after the other, and
/// the figures, which the process reads itself. It runs in a child, so that its death and a call
/// that does not return are results too.</summary>
internal static class OneProcess
{
    private static readonly ImmutableArray<CPart> Parts =
    [
        new("", """
            static int differs(const char *what, long want, long got) {
            	const char *why = got <= RAISED(1) ? strsignal(RAISED(got)) : got < 0 ? strerror(-got) : "";
            	if (want == SUCCESS ? got >= 0 : got == want) return 0;
            	return dprintf(1, "expected: %s\nseen: %ld %s\n", what, got, why);
            }
            """),
        new("", """
            #define FIGURE(what, want, read) do { if (differs(what, want, read)) return 1; } while (0)
            #define CALL(what, want, call) FIGURE(what, want, \
            	({ long result = (long)(call); result == -1 ? -errno : result; }))
            """),
    ];

    /// <summary>Whether one process that looks at itself does for a trace: nothing that it does
    /// may get in the way of its looking, or count in what it sees. Of what /proc says about a
    /// process, an emulator shows that process what it would have it see.</summary>
    public static bool Suffices(IEnumerable<SpecifiedLine> lines) => lines.All(line => line switch
    {
        SpecifiedFigures { Figures: var figures } => !figures.Any(figure => figure.IsOfProcess),
        SpecifiedCall { Call: SetSysctl } => true,
        SpecifiedCall { Call: ProcessCall { Caller.Number: 1 } call } => call is SegmentCall
            or RangeCall or ShmGet or ShmDt or Load or Store or MUnlockAll
            or SetRLimit { Resource: Resource.RLIMIT_MEMLOCK },
        _ => false,
    });

    /// <summary>The list of calls as a function.</summary>
    public static string Steps(string calls) =>
        $"\nstatic int steps(void) {{\n{calls}\treturn 0;\n}}\n";

    /// <summary>Everything before the list of calls.</summary>
    public static string Head(MachineConfig machine, string rest) => CParts.Head(
        machine,
        program => $$"""
            static struct { {{CParts.Arrays(program, 1)}} int unfit; } m[1];
            """,
        Parts, rest);

    /// <summary>The function main.</summary>
    public static string Main(string steps, CNeeds needs)
    {
        string faults = CParts.Uses(steps, "touch(")
            ? "\tsignal(SIGBUS, raised), signal(SIGSEGV, raised);\n" : "";
        return $$"""

            int main(void) {
            {{needs.Text}}{{faults}}	int status = 0;
            	pid_t child = m->unfit ? -1 : fork();
            	if (child == 0) m->p[1] = getpid(), alarm(60), _exit(steps());
            	need(m->unfit || child > 0, "needs a process for the calls");
            	waitpid(child, &status, 0);
            	if (WIFSIGNALED(status)) printf("ended by a signal: %s\n", strsignal(WTERMSIG(status)));
            	if (WEXITSTATUS(status) > 1) printf("ended with exit code %d\n", WEXITSTATUS(status));
            {{needs.SetBack}}	puts(m->unfit ? "cannot be asked" : status == 0 ? "conforms" : "diverges");
            	return m->unfit ? 77 : status != 0;
            }

            """;
    }
}
