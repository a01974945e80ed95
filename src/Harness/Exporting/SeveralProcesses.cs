using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Exporting;

/// <summary>The form of a program for a trace of several processes. Every process runs the whole
/// list of calls: a step is taken by the process whose turn it is, and skipped by the others as
/// soon as it has been taken; process 0 looks on, reads the figures and waits for those that
/// end.</summary>
internal static class SeveralProcesses
{
    private static readonly ImmutableArray<CPart> Parts =
    [
        new("gone(", """
            static int gone(long p) { while (m->turn < END && kill(p, 0) == 0) sched_yield(); return 0; }
            """),
        new("left(", """
            static void left(long p) {  // waits for the end of a thread that its process outlives
            	char path[64], state = 0; snprintf(path, sizeof path, "/proc/%ld/stat", p);
            	for (FILE *in; m->turn < END && state != 'Z' && (in = fopen(path, "r")); fclose(in), sched_yield())
            		if (fscanf(in, "%*d (%*[^)]) %c", &state) < 1) state = 0;
            }
            """),
        new("", """
            #define FIGURE(what, want, read) if (mine(n++, 0, me)) judge(what, want, read)
            #define CALL(who, what, want, call) if (mine(n++, who, me)) judge(what, want, ({ long r = (long)(call); r == -1 ? -errno : r; }))
            static int mine(int step, int who, int me) {  // waits for a step: is it this process's?
            	for (; m->turn < step + (who != me); sched_yield()) if (me == 0 && kill(-m->p[1], 0) && m->turn < step + (who != me)) puts("all processes have ended"), m->turn = END;
            	return m->turn == step && who == me; }
            static void judge(const char *what, long want, long got) {
            	if (want == SUCCESS ? got >= 0 : got == want) { m->turn++; return; }
            	dprintf(1, "expected: %s\nseen: %ld %s\n", what, got, got <= RAISED(1) ? strsignal(RAISED(got)) : got < 0 ? strerror(-got) : ""), m->turn = END;
            }
            static void late(int signal) { (void)signal, puts("no answer in a minute"), m->turn = END; }
            static int begin(void *who) { m->up = (long)who, steps((long)who); return pause(); }
            """),
        new("LATE(", """
            #define LATE(what, want, read) if (mine(n++, 0, me)) { for (int i = 0; i < 2000 && (read) != want; i++) usleep(1000); judge(what, want, read); }
            """),
        new("ENDS(", """
            #define ENDS(who, what, call) if (me == 0 && mine(n, 0, 0)) gone(m->p[who]), m->turn++; CALL(who, what, SUCCESS, call)
            """),
        new("LEAVES(", """
            #define LEAVES(who, what, call) if (me == 0 && mine(n, 0, 0)) left(m->p[who]), m->turn++; CALL(who, what, SUCCESS, call)
            """),
        new("VFORK(", """
            static int vforked(void *who) { m->p[(long)who] = getpid(), m->turn++; return begin(who); }
            #define VFORK(who, what, child) if (mine(n++, who, me)) clone(vforked, stacks[child + 1], CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)child##L)
            """),
        new("spawn(", """
            static long spawn(int f, long who) { for (m->p[who] = clone(begin, stacks[who + 1], f | SIGCHLD, (void *)who); m->p[who] > 0 && m->up != who;) sched_yield(); return m->p[who]; }
            """),
    ];

    /// <summary>Parts that differ between programs.</summary>
    private static ImmutableArray<CPart> PartsFor(MachineConfig machine, string rest)
    {
        // Of a process whose first thread has ended nothing is left in self.
        string self = CParts.Uses(rest, "LEAVES(") ? "thread-self" : "self";
        return
        [
            new(CFigure.OwnMemory, $"#define {CFigure.OwnMemory} {machine.PageSize / CFigure.Kilobyte}"
                + "  // kB: the state, which every process has touched"),
            .. Parts,
            new("again(", $$"""
                static long again(long who) {  // a new program that goes on as the same process
                	char id[24]; snprintf(id, sizeof id, "%ld", who);
                	return execl("/proc/{{self}}/exe", "repro", id, (char *)NULL);
                }
                """),
        ];
    }

    /// <summary>The list of calls as a function.</summary>
    public static string Steps(string calls) =>
        $"\nstatic void steps(long me) {{\n\tint n = 0;\n{calls}}}\n";

    /// <summary>Everything before the list of calls.</summary>
    public static string Head(MachineConfig machine, int processes, string rest) => CParts.Head(
        machine,
        program => $$"""
            enum { END = 1 << 30 }; static struct { volatile int turn, unfit; volatile long up; {{
                CParts.Arrays(program, processes)}} } *m;  // shared by all processes
            static char stacks[{{processes + 2}}][65536] __attribute__((aligned(16))); static void steps(long me);
            """,
        PartsFor(machine, rest), rest);

    /// <summary>The function main.</summary>
    public static string Main(string steps, CNeeds needs)
    {
        string faults = CParts.Uses(steps, "touch(")
            ? ", signal(SIGBUS, raised), signal(SIGSEGV, raised)" : "";
        string begin = CParts.Uses(steps, "again(") ? $$"""
            int main(int argc, char **argv) {
            	if (argc == 1 && ftruncate(dup2(memfd_create("state", 0), 100), sizeof *m)) return 77;
            	m = mmap(NULL, sizeof *m, PROT_READ | PROT_WRITE, MAP_SHARED, 100, 0){{faults}};
            	if (argc == 2) return m->turn++, begin((void *)atol(argv[1]));
            """ : $$"""
            int main(void) {
            	m = mmap(NULL, sizeof *m, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0){{faults}};
            """;
        return $$"""

            {{begin}}
            	m->turn = -1, signal(SIGCHLD, SIG_IGN);
            {{needs.Text}}	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = late }, NULL), alarm(60);
            	if (!m->unfit && (m->p[1] = clone(begin, stacks[2], SIGCHLD, (void *)1L)) > 0) for (setpgid(m->p[1], m->p[1]), m->turn = 0, steps(0); kill(-m->p[1], SIGKILL) == 0;) sched_yield();
            {{needs.SetBack}}	puts(m->unfit ? "cannot be asked" : m->turn < END ? "conforms" : "diverges");
            	return m->unfit ? 77 : m->turn >= END;
            }

            """;
    }
}
