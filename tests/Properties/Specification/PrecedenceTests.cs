namespace ShmCheck.Properties.Specification;

/// <summary>Claims about the order in which calls find what is wrong: of two things that are wrong
/// at once, the answer is about the one that stands first.</summary>
public class PrecedenceTests
{
    public static TheoryData<string> Shapes => [.. CallShapes.All.Keys];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_call_without_a_flaw_succeeds(string name)
    {
        CallShape shape = CallShapes.All[name];
        string rule = shape.Rule()!;
        Assert.DoesNotContain(shape.Flaws, flaw => flaw.Rule == rule);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Each_flaw_is_found_by_its_rule(string name)
    {
        CallShape shape = CallShapes.All[name];
        Assert.All(shape.Flaws, flaw => Assert.Equal(flaw.Rule, shape.Rule(flaw)));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Of_two_flaws_the_first_is_found(string name)
    {
        CallShape shape = CallShapes.All[name];
        int tried = 0;
        for (int second = 1; second < shape.Flaws.Length; second++)
        {
            for (int first = 0; first < second; first++)
            {
                (Flaw one, Flaw other) = (shape.Flaws[first], shape.Flaws[second]);
                if (!shape.Apart.Contains((one.Rule, other.Rule))
                    && shape.Rule(one, other) is { } found)
                {
                    tried++;
                    Assert.True(
                        one.Rule == found, $"{one.Rule} and {other.Rule}: {found} is found");
                }
            }
        }

        Assert.True(tried >= shape.Flaws.Length / 2, $"only {tried} pairs can be combined");
    }

    [Fact]
    public void Every_rule_about_an_error_before_anything_is_done_stands_in_a_shape()
    {
        HashSet<string> shaped =
            [.. CallShapes.All.Values.SelectMany(shape => shape.Flaws.Select(f => f.Rule))];
        Assert.Equal([], CallShapes.ErrorsFoundFirst.Except(shaped));
    }

    [Fact]
    public void Without_a_swap_device_the_right_to_use_one_is_tested_first()
    {
        var scene = new Scene();
        Assert.Equal("swap.enoent", scene.Play("p1 swapon()").Rule);
        Assert.Equal("swap.enoent", scene.Play("p1 swapoff()").Rule);
        scene.Play("p1 setuid(1000)");
        Assert.Equal("swap.eperm", scene.Play("p1 swapon()").Rule);
        Assert.Equal("swap.eperm", scene.Play("p1 swapoff()").Rule);
    }
}
