using ShmCheck.Abi;

namespace ShmCheck.Properties.Implementation;

public class ConsistencyTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void All_counters_equal_what_they_count_after_every_call(int first)
    {
        for (int seed = first; seed < 400; seed += 4)
        {
            MachineConfig config = RandomCalls.SmallMachine(seed);
            var run = new Run(config);
            var calls = new RandomCalls(seed, config);
            for (int step = 0; step < 120; step++)
            {
                Call call = calls.Next(run.System, run.Bindings);
                run.Make(call);
                CheckAfter(run, seed, step, call);
            }
        }
    }

    private static void CheckAfter(Run run, int seed, int step, Call call)
    {
        try
        {
            run.Machine.CheckConsistency();
        }
        catch (InvalidOperationException wrong)
        {
            Assert.Fail($"seed {seed}, step {step}, {call}: {wrong.Message}");
        }
    }
}
